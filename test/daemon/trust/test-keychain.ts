// A user's agent and keychain in memory, with every way to misbehave; the real ones are in test/desktop.
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentParams, AgentResult, VaultKind } from '../../../shared/agent-messages.js';
import { Fault } from '../../../shared/fault.js';
import type { KeychainAgent, KeychainAgents } from '../../../daemon/trust/keychain-agent.js';
import { pinKey, recordKey } from '../../../daemon/trust/records.js';

export class TestAgent implements KeychainAgent {
  readonly entries: Map<string, unknown>;
  busy = false;
  /** What the next request does instead of its work. */
  fails: 'never' | 'error' | 'hang' = 'never';
  pageSize = 2;
  writes = 0;

  constructor(entries = new Map<string, unknown>()) {
    this.entries = entries;
  }

  async read(from: number): Promise<AgentResult<'vault.read'>> {
    await this.#misbehave();
    const all = [...this.entries.values()];
    const end = from + this.pageSize;
    return { records: all.slice(from, end), ...(end < all.length ? { next: end } : {}) };
  }

  async write({ put, remove }: AgentParams<'vault.write'>): Promise<void> {
    await this.#misbehave();
    this.writes++;
    const key = (one: (typeof put)[number]) =>
      one.kind === 'pin' ? pinKey(one.record) : recordKey(one.record);
    for (const one of put) this.entries.set(key(one), structuredClone(one));
    for (const one of remove) this.entries.delete(key(one));
  }

  async #misbehave(): Promise<void> {
    if (this.fails === 'error') throw new Fault('store', 'evil\r\n230 words of the agent');
    if (this.fails === 'hang') {
      this.busy = true;
      await new Promise(() => undefined);
    }
    await sleep(1);
  }
}

export class TestAgents implements KeychainAgents {
  readonly #agents = new Map<number, { agent: TestAgent; vault: VaultKind }>();
  readonly #listeners = new Set<(uid: number) => void>();

  /** Registers, or says something new; undefined: the agent leaves. */
  set(uid: number, vault: VaultKind | undefined, agent = new TestAgent()): TestAgent {
    if (vault === undefined) this.#agents.delete(uid);
    else this.#agents.set(uid, { agent, vault });
    for (const listener of this.#listeners) listener(uid);
    return agent;
  }

  ready(uid: number): KeychainAgent | undefined {
    const found = this.#agents.get(uid);
    return found?.vault === 'ready' ? found.agent : undefined;
  }

  vaultOf(uid: number): VaultKind | undefined {
    return this.#agents.get(uid)?.vault;
  }

  subscribe(listener: (uid: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
