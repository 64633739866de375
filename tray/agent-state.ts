// What the tray's parts (icon, menu, notifications, manager) know and may do. The link to the daemon makes it; the parts
// only read it, so each can be tested with a state written by hand.
import type { z } from 'zod';
import type {
  IpcMethod,
  IpcResult,
  ipcMethods,
  QuestionView,
  SessionView,
  Status,
} from '../shared/ipc-messages.js';

/** Whether the daemon can be reached; the sentence says what happened and what to do. */
export type DaemonState =
  { readonly kind: 'connected' } | { readonly kind: 'unreachable'; readonly sentence: string };

/** The person's keychain. `off`: the daemon keeps keys in its file store, by configuration. */
export type VaultState =
  | { readonly kind: 'off' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'locked' | 'absent' | 'slow'; readonly sentence: string };

/** Everything at one moment; replaced whole at each change. After the daemon has gone the lists are empty. */
export interface AgentState {
  readonly daemon: DaemonState;
  readonly vault: VaultState;
  readonly status: Status | undefined;
  readonly sessions: readonly SessionView[];
  readonly questions: readonly QuestionView[];
}

/** What a caller passes to a method: the schema's input. */
export type MethodParams<M extends IpcMethod> = z.input<(typeof ipcMethods)[M]['params']>;

/** The link to the daemon. It reconnects by itself; `close` ends it for good. */
export interface DaemonLink {
  /** The newest state; the same object until something changes. */
  readonly state: AgentState;
  /** Calls the listener after each change; returns how to stop that. */
  subscribe(listener: (state: AgentState) => void): () => void;
  /** Rejects with a Fault: the daemon's own, or `no-daemon` while it is unreachable. */
  request<M extends IpcMethod>(method: M, params: MethodParams<M>): Promise<IpcResult<M>>;
  close(): void;
}
