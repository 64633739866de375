// The tray's link to the daemon: connects again and again, registers as the user's agent, watches, and keeps the newest
// AgentState. What the parts of the tray see of the daemon, they see here.
import { isDeepStrictEqual } from 'node:util';
import { connectDaemon as connectClient } from '../daemon/cli/paths.js';
import { howToStart } from '../daemon/sys/platform-words.js';
import type { DaemonClient } from '../daemon/ipc/client.js';
import type { VaultKind } from '../shared/agent-messages.js';
import { Fault } from '../shared/fault.js';
import type { IpcMethod, IpcResult, PromptEvent, SessionEvent } from '../shared/ipc-messages.js';
import type { AgentState, DaemonLink, MethodParams } from './agent-state.js';
import { LinkedLists } from './linked-lists.js';
import type { Vault } from './keychain/vault.js';

/** The pause before the next try; a daemon that restarts has its agent back within the last of them. */
const backoffMs = [100, 250, 500, 1000, 2000];
/** How old the status may be, and how soon it follows an event. */
const statusEveryMs = 3000;
const statusSoonMs = 200;

export interface LinkOptions {
  /** The daemon's runtime directory, where it is not the usual one. */
  readonly runtimeDir?: string | undefined;
  /** The user's keychain, which the link closes at its end; absent: none is offered. */
  readonly vault?: Vault | undefined;
}

const nothing = { status: undefined, sessions: [], questions: [] } as const;

/** Starts the link; the first state is `unreachable` until the daemon has answered. */
export function connectDaemon(options: LinkOptions = {}): DaemonLink {
  return new Link(options);
}

class Link implements DaemonLink {
  readonly #options: LinkOptions;
  readonly #listeners = new Set<(state: AgentState) => void>();
  readonly #lists = new LinkedLists();
  #state: AgentState;
  #client: DaemonClient | undefined;
  /** Whether the daemon wants keychains; undefined until it has said so. */
  #keys: 'keychain' | 'file' | undefined;
  /** What the daemon was told of the keychain last. */
  #told: VaultKind | undefined;
  #tries = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #statusTimer: NodeJS.Timeout | undefined;
  #statusSoon = false;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    const sentence = 'Connecting to the ftpseal daemon.';
    this.#state = { daemon: { kind: 'unreachable', sentence }, vault: this.#vaultState(), ...nothing };
    options.vault?.subscribe(() => {
      this.#set({ vault: this.#vaultState() });
      if (this.#client !== undefined) void this.#register(this.#client).catch(() => undefined);
    });
    void this.#connect();
  }

  get state(): AgentState {
    return this.#state;
  }

  subscribe(listener: (state: AgentState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async request<M extends IpcMethod>(method: M, params: MethodParams<M>): Promise<IpcResult<M>> {
    const client = this.#client;
    if (client === undefined) {
      const { daemon } = this.#state;
      throw new Fault('no-daemon', daemon.kind === 'unreachable' ? daemon.sentence : gone);
    }
    const result = await client.request(method, params);
    // No event follows these.
    if (method === 'pause' || method === 'resume') this.#askStatus(statusSoonMs);
    return result;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#statusTimer);
    this.#client?.close();
    this.#options.vault?.close();
    this.#listeners.clear();
  }

  async #connect(): Promise<void> {
    let client: DaemonClient | undefined;
    try {
      client = await connectClient(
        this.#options.runtimeDir === undefined ? {} : { runtimeDir: this.#options.runtimeDir },
      );
      await this.#start(client);
    } catch (error) {
      client?.close();
      this.#lost(Fault.from(error).userMessage);
    }
  }

  async #start(client: DaemonClient): Promise<void> {
    client.on('sessions.event', (event) => {
      this.#onSessions(client, event);
    });
    client.on('prompts.event', (event) => {
      this.#onPrompts(client, event);
    });
    this.#offerVault(client);
    await this.#register(client);
    // The first events, which hold everything, come before the answers to these.
    await client.request('prompts.watch', {});
    await client.request('sessions.watch', {});
    const status = await client.request('status', {});
    if (this.#closed) throw new Fault('no-daemon', gone);
    this.#client = client;
    // The keychain may have become another one while the daemon answered.
    if (this.#told !== this.#offer()) await this.#register(client);
    this.#tries = 0;
    const { sessions, questions } = this.#lists;
    this.#set({ daemon: { kind: 'connected' }, status, sessions, questions });
    void client.closed.then(() => {
      this.#lost(gone);
    });
    this.#askStatus(statusEveryMs);
  }

  #offerVault(client: DaemonClient): void {
    const { vault } = this.#options;
    if (vault === undefined) return;
    client.handle('vault.read', ({ from }) => vault.read(from));
    client.handle('vault.write', async ({ put, remove }) => {
      await vault.write({ put, remove });
      return {};
    });
  }

  async #register(client: DaemonClient): Promise<void> {
    const vault = this.#offer();
    this.#told = vault;
    try {
      this.#keys = (await client.request('agent.register', { vault })).keys;
    } catch (error) {
      // Root watches like everybody else, but holds nobody's keychain.
      if (Fault.from(error).code !== 'not-permitted') throw error;
      this.#keys = 'file';
    }
    this.#set({ vault: this.#vaultState() });
  }

  #offer(): VaultKind {
    return this.#options.vault?.state.kind ?? 'none';
  }

  #vaultState(): AgentState['vault'] {
    if (this.#options.vault === undefined || this.#keys === 'file') return { kind: 'off' };
    return this.#options.vault.state;
  }

  #lost(sentence: string): void {
    this.#client = undefined;
    clearTimeout(this.#statusTimer);
    if (this.#closed) return;
    this.#lists.clear();
    this.#set({ daemon: { kind: 'unreachable', sentence }, ...nothing });
    clearTimeout(this.#retryTimer);
    const pause = backoffMs[Math.min(this.#tries, backoffMs.length - 1)];
    this.#tries++;
    this.#retryTimer = setTimeout(() => void this.#connect(), pause);
  }

  #onSessions(client: DaemonClient, event: SessionEvent): void {
    this.#lists.applySession(event);
    if (client !== this.#client) return;
    this.#set({ sessions: this.#lists.sessions });
    this.#askStatus(statusSoonMs);
  }

  #onPrompts(client: DaemonClient, event: PromptEvent): void {
    this.#lists.applyPrompt(event);
    if (client !== this.#client) return;
    this.#set({ questions: this.#lists.questions });
    this.#askStatus(statusSoonMs);
  }

  /** The next request for the status, at the latest after `delay`. */
  #askStatus(delay: number): void {
    if (this.#statusTimer !== undefined && delay === statusSoonMs && this.#statusSoon) return;
    clearTimeout(this.#statusTimer);
    this.#statusSoon = delay === statusSoonMs;
    this.#statusTimer = setTimeout(() => {
      this.#statusSoon = false;
      void this.#refreshStatus();
    }, delay);
  }

  async #refreshStatus(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    try {
      const status = await client.request('status', {});
      if (client !== this.#client) return;
      this.#set({ status });
    } catch {
      // A daemon that has gone is noticed by its connection's end.
    }
    this.#askStatus(statusEveryMs);
  }

  #set(change: Partial<AgentState>): void {
    if (this.#closed) return;
    const next = { ...this.#state, ...change };
    if (isDeepStrictEqual(next, this.#state)) return;
    this.#state = next;
    for (const listener of this.#listeners) listener(this.#state);
  }
}

const gone = `The ftpseal daemon has gone. It is tried again until it answers. ${howToStart}`;
