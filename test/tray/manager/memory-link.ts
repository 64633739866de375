// A link to a daemon that is a table: what was asked stands in `asked`, what is answered is given by the test. The real daemon
// behind the manager is test/desktop's matter.
import { Fault } from '../../../shared/fault.js';
import { ipcMethods, type IpcMethod, type IpcResult } from '../../../shared/ipc-messages.js';
import type { AgentState, DaemonLink, MethodParams } from '../../../tray/agent-state.js';

type Answers = { [M in IpcMethod]?: (params: MethodParams<M>) => IpcResult<M> };

export const connected: AgentState = {
  daemon: { kind: 'connected' },
  vault: { kind: 'ready' },
  status: {
    version: '0.1.0',
    pid: 1,
    mode: 'redirect',
    startedAt: 0,
    redirect: { kind: 'active', ports: [] },
    workers: [{ index: 0, alive: true, sessions: 0, restarts: 0 }],
    sessions: { total: 0, secured: 0, cleartext: 0, other: 0 },
    questions: 0,
    keysFolder: { folder: '/etc/ftpseal/keys.d', keys: 0, troubles: [] },
    warnings: [],
  },
  sessions: [],
  questions: [],
};

export class MemoryLink implements DaemonLink {
  readonly asked: (readonly [IpcMethod, unknown])[] = [];
  readonly answers: Answers = {};
  readonly #listeners = new Set<(state: AgentState) => void>();
  #state: AgentState = connected;

  get state(): AgentState {
    return this.#state;
  }

  set(change: Partial<AgentState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }

  subscribe(listener: (state: AgentState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  request<M extends IpcMethod>(method: M, params: MethodParams<M>): Promise<IpcResult<M>> {
    this.asked.push([method, params]);
    const checked = ipcMethods[method].params.safeParse(params);
    const answer = this.answers[method];
    if (this.#state.daemon.kind === 'unreachable')
      return Promise.reject(new Fault('no-daemon', this.#state.daemon.sentence));
    if (!checked.success || answer === undefined)
      return Promise.reject(new Fault('protocol', `no answer to ${method}`));
    try {
      return Promise.resolve(answer(params));
    } catch (error) {
      return Promise.reject(Fault.from(error));
    }
  }

  close(): void {
    this.#listeners.clear();
  }
}
