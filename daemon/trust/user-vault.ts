// One user's records while they are in the user's keychain: read whole into memory when an agent offers it, written
// through, and forgotten when it is locked or the agent leaves. Every wait is bounded.
import { Fault } from '../../shared/fault.js';
import type { KeychainAgent, KeychainAgents } from './keychain-agent.js';
import { sentenceFor, sentences } from './keychain-sentences.js';
import type { Owner, PinRecord } from './pin-record.js';
import { pinKey, touched } from './records.js';
import type { StoreContents } from './store.js';
import { readVault, rewriteInVault, within, writeVault } from './vault-records.js';
import { steadyNow } from '../sys/steady-clock.js';
import type { UserId } from '../../shared/user-id.js';

/** How long a use count may stay unwritten. */
const touchDelayMs = 2000;
/** How far an agent's refusal and its news may be apart. */
const newsMs = 100;

export interface UserVaultOptions {
  readonly uid: UserId;
  readonly agents: KeychainAgents;
  /** What a session waits at most for a keychain, and what the keychain has for one request. */
  readonly waitMs: number;
  readonly note: (message: string, fields: Readonly<Record<string, string | number>>) => void;
  /** Takes over what was kept elsewhere before the records count; gives the records that are in the keychain then. */
  readonly adopt: (agent: KeychainAgent, records: StoreContents) => Promise<StoreContents>;
}

interface Loaded {
  readonly agent: KeychainAgent;
  records: StoreContents;
}

/** See the head of the file. All methods reject with a Fault of code `store`, whose sentence fits a reply line. */
export class UserVault {
  readonly owner: Owner;
  readonly #options: UserVaultOptions;
  readonly #waiters = new Set<() => void>();
  readonly #dirty = new Set<string>();
  #loaded: Loaded | undefined;
  /** Rises with each change of the agents: what was read before it does not count. */
  #epoch = 0;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #touchTimer: NodeJS.Timeout | undefined;
  /** Queued, not begun. */
  #reload: Promise<void> | undefined;

  constructor(options: UserVaultOptions) {
    this.#options = options;
    this.owner = { kind: 'user', uid: options.uid };
  }

  /** What is in memory; undefined while the keychain can't be used or was not read yet. */
  get current(): StoreContents | undefined {
    return this.#loaded?.records;
  }

  /** An agent of this user registered, changed or left: whatever was known is read again. Never rejects. */
  async agentsChanged(): Promise<void> {
    this.#epoch++;
    this.#loaded = undefined;
    for (const wake of [...this.#waiters]) wake();
    if (this.#options.agents.ready(this.#options.uid) === undefined) return;
    // One reading takes in all that changed before it: an agent that registers without end queues no more than that.
    this.#reload ??= this.#inTurn(async () => {
      this.#reload = undefined;
      await this.#load();
    }).catch((error: unknown) => {
      this.#options.note('a keychain could not be read', {
        uid: this.#options.uid,
        sentence: Fault.from(error).userMessage,
      });
    });
    await this.#reload;
  }

  /** All records. A keychain that is about to come is waited for; one that is locked or absent is not. */
  async records(): Promise<StoreContents> {
    if (this.#loaded !== undefined) return this.#loaded.records;
    const deadline = steadyNow() + this.#options.waitMs;
    await this.#present(deadline);
    const load = this.#inTurn(() => this.#load());
    return (await within(Math.max(1, deadline - steadyNow()), load)).records;
  }

  /** Resolves once the keychain has taken the change; if that fails, the truth is read from it again at the next use. */
  async change(apply: (records: StoreContents) => StoreContents): Promise<void> {
    await this.#present(steadyNow() + this.#options.waitMs);
    await this.#inTurn(async () => {
      const loaded = await this.#load();
      const before = loaded.records;
      const after = apply(before);
      try {
        await writeVault(loaded.agent, before, after, this.#options.waitMs);
      } catch (error) {
        if (this.#loaded === loaded) this.#loaded = undefined;
        throw await this.#writeFault(error);
      }
      // Uses may have been counted meanwhile.
      loaded.records = loaded.records === before ? after : apply(loaded.records);
    });
  }

  touch(pin: PinRecord, at: number): void {
    if (this.#loaded === undefined) return;
    const after = touched(this.#loaded.records, pin, at);
    if (after === undefined) return;
    this.#loaded.records = after;
    this.#dirty.add(pinKey(pin));
    this.#touchTimer ??= setTimeout(() => {
      this.#touchTimer = undefined;
      void this.#inTurn(() => this.#writeCounts()).catch(() => undefined);
    }, touchDelayMs).unref();
  }

  /** Writes the counts that are not written yet, if the agent is still there. Never rejects. */
  async close(): Promise<void> {
    clearTimeout(this.#touchTimer);
    await this.#inTurn(() => this.#writeCounts()).catch(() => undefined);
  }

  /** Resolves when an agent offers a ready keychain. */
  async #present(deadline: number): Promise<void> {
    const { agents, uid } = this.#options;
    while (agents.ready(uid) === undefined) {
      const vault = agents.vaultOf(uid);
      const mayCome = vault === undefined || vault === 'slow';
      const left = deadline - steadyNow();
      if (!mayCome || left <= 0) throw new Fault('store', sentenceFor(vault));
      await this.#agentChange(left);
    }
  }

  #agentChange(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiters.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#waiters.add(end);
    });
  }

  async #load(): Promise<Loaded> {
    if (this.#loaded !== undefined) return this.#loaded;
    const { agents, uid, waitMs, note, adopt } = this.#options;
    const agent = agents.ready(uid);
    if (agent === undefined) throw new Fault('store', sentenceFor(agents.vaultOf(uid)));
    if (agent.busy) throw new Fault('store', sentences.slow);
    const epoch = this.#epoch;
    const { records, foreign, unreadable } = await readVault(agent, this.owner, waitMs).catch(
      (error: unknown) => {
        throw readFault(error);
      },
    );
    if (foreign + unreadable > 0)
      note('a keychain held what is not its user’s; dropped', { uid, foreign, unreadable });
    const loaded = { agent, records: await adopt(agent, records) };
    if (epoch !== this.#epoch) throw new Fault('store', sentenceFor(agents.vaultOf(uid)));
    this.#loaded = loaded;
    this.#dirty.clear();
    return loaded;
  }

  async #writeCounts(): Promise<void> {
    const loaded = this.#loaded;
    const pins = loaded?.records.pins.filter((pin) => this.#dirty.has(pinKey(pin))) ?? [];
    this.#dirty.clear();
    if (loaded === undefined || pins.length === 0 || loaded.agent.busy) return;
    await rewriteInVault(loaded.agent, pins, this.#options.waitMs);
  }

  /** What the agent says of its keychain is the better reason; it comes at about the same time. */
  async #writeFault(error: unknown): Promise<Fault> {
    const { agents, uid } = this.#options;
    if (error instanceof Fault && error.userMessage === sentences.slow) return error;
    if (agents.ready(uid) !== undefined) await this.#agentChange(newsMs);
    if (agents.ready(uid) !== undefined) return new Fault('store', sentences.notTaken, error);
    return new Fault('store', sentenceFor(agents.vaultOf(uid)), error);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }
}

/** An agent's own words are not passed on: they would stand in a reply line. */
function readFault(error: unknown): Fault {
  const fault = Fault.from(error);
  if (fault.userMessage === sentences.slow || fault.userMessage === sentences.nonsense) return fault;
  return new Fault('store', fault.code === 'protocol' ? sentences.nonsense : sentences.slow, error);
}
