// The agents that are connected: per user, in the order in which they registered. An agent is gone when its connection is.
import type { AgentParams, AgentResult, VaultKind } from '../../shared/agent-messages.js';
import { Fault } from '../../shared/fault.js';
import type { KeychainAgent, KeychainAgents } from '../trust/keychain-agent.js';
import type { Channel } from './channel.js';
import type { MethodTable } from './dispatch.js';
import { isSuperuser, type UserId } from '../../shared/user-id.js';

/** One registered connection. */
class Agent implements KeychainAgent {
  readonly channel: Channel;
  vault: VaultKind;
  /** One question at a time, answered or not: an agent that never answers holds one promise here and no more. */
  #busy = false;

  constructor(channel: Channel, vault: VaultKind) {
    this.channel = channel;
    this.vault = vault;
  }

  get busy(): boolean {
    return this.#busy;
  }

  read(from: number): Promise<AgentResult<'vault.read'>> {
    return this.#alone(() => this.channel.request('vault.read', { from }));
  }

  async write(change: AgentParams<'vault.write'>): Promise<void> {
    await this.#alone(() => this.channel.request('vault.write', change));
  }

  async #alone<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new Fault('store', 'The ftpseal tray still works on an earlier request.');
    this.#busy = true;
    try {
      return await ask();
    } finally {
      this.#busy = false;
    }
  }
}

/** See the head of the file. */
export class AgentRegistry implements KeychainAgents {
  readonly keys: 'keychain' | 'file';
  readonly #agents = new Map<UserId, readonly Agent[]>();
  readonly #listeners = new Set<(uid: UserId) => void>();

  constructor(keys: 'keychain' | 'file') {
    this.keys = keys;
  }

  /** Registers a connection, or takes what it says now. Throws a Fault of code `not-permitted` for root. */
  register(channel: Channel, vault: VaultKind): void {
    const { uid } = channel.actor;
    if (isSuperuser(uid)) {
      throw new Fault('not-permitted', 'Root can’t be a user’s tray; start ftpseal tray as the user.');
    }
    const agents = this.#agents.get(uid) ?? [];
    const known = agents.find((agent) => agent.channel === channel);
    if (known === undefined) {
      this.#agents.set(uid, [...agents, new Agent(channel, vault)]);
      channel.onClose(() => {
        this.#remove(uid, channel);
      });
    } else {
      known.vault = vault;
    }
    this.#emit(uid);
  }

  /** The newest agent of the user that has a ready keychain. */
  ready(uid: UserId): KeychainAgent | undefined {
    return this.#agents.get(uid)?.findLast((agent) => agent.vault === 'ready');
  }

  vaultOf(uid: UserId): VaultKind | undefined {
    return this.#agents.get(uid)?.at(-1)?.vault;
  }

  subscribe(listener: (uid: UserId) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #remove(uid: UserId, channel: Channel): void {
    const left = this.#agents.get(uid)?.filter((agent) => agent.channel !== channel) ?? [];
    if (left.length > 0) this.#agents.set(uid, left);
    else this.#agents.delete(uid);
    this.#emit(uid);
  }

  #emit(uid: UserId): void {
    for (const listener of this.#listeners) listener(uid);
  }
}

export function agentMethods(agents: AgentRegistry): Pick<MethodTable, 'agent.register'> {
  return {
    'agent.register': ({ vault }, channel) => {
      agents.register(channel, vault);
      return { keys: agents.keys };
    },
  };
}
