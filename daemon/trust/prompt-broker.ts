// Open questions and who waits for them. One question for one (owner, server, key), however many sessions wait;
// a time-out ends a wait, not the question. A standing question (changed key, downgrade) is waited for by nobody: its
// sessions were refused at once. Knows nothing of rights: daemon/ipc decides who sees which question.
import { randomUUID } from 'node:crypto';
import { formatEndpoint } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { Concern, Connection, Question } from '../../shared/trust.js';
import { isSameOwner, type Owner } from './pin-record.js';
import { steadyClock } from '../sys/steady-clock.js';

/** More than a person answers; a program that connects to many unknown servers must not fill the memory. */
export const MAX_QUESTIONS_PER_OWNER = 32;
/** A question that nobody waits for any more is dropped after this time. */
const idleLifeMs = 60 * 60 * 1000;
/** A late answer counts for the next try, if it comes soon enough to be the one that the person meant. */
const lateLifeMs = 10 * 60 * 1000;
/** How long a session waits from when a person began to deal with the question: FTP programs give up at about that time. */
const heldMs = 5 * 60 * 1000;
/** However often they do, a session waits no longer than this in all. */
const longestWaitMs = 10 * 60 * 1000;

export type Answer = 'always' | 'once' | 'refuse';

/** A question as the people who may answer it see it. `waiting`: how many sessions hang on it now. */
export interface OpenQuestion {
  readonly id: string;
  readonly owner: Owner;
  readonly connection: Connection;
  readonly question: Question;
  readonly concern: Concern;
  /** Why this is asked, a sentence for people. */
  readonly why: string;
  readonly program: string | undefined;
  readonly openedAt: number;
  readonly waiting: number;
  /** When the last session that waits gives up; undefined while none waits. */
  readonly deadline: number | undefined;
  /** How many sessions were refused at once because of this, without waiting. */
  readonly refused: number;
}

/** A question that stands until a person answers it, without a session that waits. */
export interface StandingRequest {
  readonly owner: Owner;
  readonly connection: Connection;
  readonly question: Question;
  readonly concern: Concern;
  readonly why: string;
  readonly program: string | undefined;
}

export interface AskRequest extends StandingRequest {
  readonly sessionId: string;
  /** 0 for what nobody waits for (a device): refused at once, and after a no for ten minutes without a new question. */
  readonly timeoutMs: number;
}

/** How a wait ended. `tooMany`: the owner has too many open questions, and this one was not asked. */
export type WaitOutcome =
  | { readonly kind: 'answered'; readonly answer: Answer; readonly late: boolean }
  | { readonly kind: 'timedOut'; readonly id: string }
  | { readonly kind: 'withdrawn'; readonly id: string | undefined }
  | { readonly kind: 'tooMany' };

export type QuestionEvent =
  | { readonly kind: 'opened' | 'updated'; readonly question: OpenQuestion }
  | { readonly kind: 'closed'; readonly id: string; readonly owner: Owner };

interface Wait {
  readonly sessionId: string;
  readonly since: number;
  readonly end: (outcome: WaitOutcome) => void;
  timer: NodeJS.Timeout | undefined;
  deadline: number;
}

interface Entry {
  readonly key: string;
  readonly base: Omit<OpenQuestion, 'waiting' | 'deadline' | 'refused'>;
  readonly waits: Set<Wait>;
  refused: number;
  lastWaitedAt: number;
}

interface LateAnswer {
  readonly answer: Answer;
  readonly at: number;
}

/** See the head of the file. `now` is the clock, for tests of what happens after an hour. */
export class PromptBroker {
  readonly #entries = new Map<string, Entry>();
  readonly #late = new Map<string, LateAnswer>();
  readonly #listeners = new Set<(event: QuestionEvent) => void>();
  readonly #now: () => number;
  readonly #shown: (moment: number) => number;

  constructor(now?: () => number) {
    this.#now = now ?? steadyClock.now;
    this.#shown = now === undefined ? steadyClock.shown : (moment) => moment;
  }

  /** Asks, or joins the same question that is already open. Never rejects. */
  ask(request: AskRequest): Promise<WaitOutcome> {
    this.#dropIdle();
    const key = keyOf(request);
    const late = this.#takeLate(key, request.timeoutMs);
    if (late !== undefined) return Promise.resolve({ kind: 'answered', answer: late, late: true });
    const open = this.#byKey(key);
    const entry = open ?? this.#open(key, request);
    if (entry === undefined) return Promise.resolve({ kind: 'tooMany' });
    return new Promise((resolve) => {
      this.#wait(entry, request, resolve);
      this.#emit({ kind: open === undefined ? 'opened' : 'updated', question: this.#view(entry) });
    });
  }

  /**
   * Opens a standing question, or counts one more refusal on the one that stands. Silent for ten minutes after a person
   * answered it with no: a program that tries again and again must not ask again and again.
   */
  post(request: StandingRequest): void {
    this.#dropIdle();
    const key = `standing ${keyOf(request)}`;
    if (this.#late.has(key)) return;
    const open = this.#byKey(key);
    const entry = open ?? this.#open(key, request);
    if (entry === undefined) return;
    entry.refused++;
    entry.lastWaitedAt = this.#now();
    this.#emit({ kind: open === undefined ? 'opened' : 'updated', question: this.#view(entry) });
  }

  /**
   * A person has begun to look at the question: those who wait get more time, within bounds. Throws a Fault of code
   * `usage` if no such question is open.
   */
  hold(id: string): OpenQuestion {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw noSuchQuestion(id);
    for (const wait of entry.waits) {
      const until = Math.min(this.#now() + heldMs, wait.since + longestWaitMs);
      if (until > wait.deadline) this.#arm(entry, wait, until);
    }
    this.#emit({ kind: 'updated', question: this.#view(entry) });
    return this.#view(entry);
  }

  /** The session ended: its waits end as `withdrawn`. The question stays open for a late answer. */
  withdraw(sessionId: string): void {
    for (const entry of this.#entries.values()) {
      for (const wait of [...entry.waits].filter((w) => w.sessionId === sessionId)) {
        this.#endWait(entry, wait, { kind: 'withdrawn', id: entry.base.id });
      }
    }
  }

  list(): readonly OpenQuestion[] {
    this.#dropIdle();
    return [...this.#entries.values()].map((entry) => this.#view(entry));
  }

  find(id: string): OpenQuestion | undefined {
    const entry = this.#entries.get(id);
    return entry && this.#view(entry);
  }

  /**
   * Answers a question and closes it. Returns how many sessions waited; with none, the answer counts for the
   * next try. Throws a Fault of code `usage` if no such question is open.
   */
  answer(id: string, answer: Answer): number {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw noSuchQuestion(id);
    const waits = [...entry.waits];
    if (waits.length === 0) this.#late.set(entry.key, { answer, at: this.#now() });
    for (const wait of waits) this.#endWait(entry, wait, { kind: 'answered', answer, late: false });
    this.#close(entry);
    return waits.length;
  }

  /** Calls back on every change; returns the function that ends it. */
  subscribe(listener: (event: QuestionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends every wait, for a daemon that stops. */
  close(): void {
    for (const entry of this.#entries.values()) {
      for (const wait of [...entry.waits])
        this.#endWait(entry, wait, { kind: 'withdrawn', id: entry.base.id });
    }
  }

  #byKey(key: string): Entry | undefined {
    return [...this.#entries.values()].find((entry) => entry.key === key);
  }

  #open(key: string, request: StandingRequest): Entry | undefined {
    const own = [...this.#entries.values()].filter((entry) => isSameOwner(entry.base.owner, request.owner));
    const idle = own.find((entry) => entry.waits.size === 0);
    if (own.length >= MAX_QUESTIONS_PER_OWNER) {
      if (idle === undefined) return undefined;
      this.#close(idle);
    }
    const { owner, connection, question, concern, why, program } = request;
    const openedAt = this.#now();
    const base = { id: this.#newId(), owner, connection, question, concern, why, program, openedAt };
    const entry: Entry = { key, base, waits: new Set(), refused: 0, lastWaitedAt: openedAt };
    this.#entries.set(base.id, entry);
    return entry;
  }

  /** Short enough to type; unguessable ids are not needed, rights are checked on every answer. */
  #newId(): string {
    const id = randomUUID().slice(0, 6);
    return this.#entries.has(id) ? this.#newId() : id;
  }

  #wait(entry: Entry, request: AskRequest, resolve: (outcome: WaitOutcome) => void): void {
    const since = this.#now();
    const deadline = since + request.timeoutMs;
    const wait: Wait = { sessionId: request.sessionId, since, end: resolve, timer: undefined, deadline };
    entry.waits.add(wait);
    this.#arm(entry, wait, deadline);
  }

  #arm(entry: Entry, wait: Wait, deadline: number): void {
    clearTimeout(wait.timer);
    wait.deadline = deadline;
    wait.timer = setTimeout(() => {
      this.#endWait(entry, wait, { kind: 'timedOut', id: entry.base.id });
    }, deadline - this.#now());
  }

  #endWait(entry: Entry, wait: Wait, outcome: WaitOutcome): void {
    clearTimeout(wait.timer);
    entry.waits.delete(wait);
    entry.lastWaitedAt = this.#now();
    wait.end(outcome);
    if (outcome.kind !== 'answered') this.#emit({ kind: 'updated', question: this.#view(entry) });
  }

  #close(entry: Entry): void {
    this.#entries.delete(entry.base.id);
    this.#emit({ kind: 'closed', id: entry.base.id, owner: entry.base.owner });
  }

  #takeLate(key: string, timeoutMs: number): Answer | undefined {
    const late = this.#late.get(key);
    if (late?.answer !== 'refuse' || timeoutMs > 0) this.#late.delete(key);
    return late !== undefined && this.#now() - late.at <= lateLifeMs ? late.answer : undefined;
  }

  #dropIdle(): void {
    const now = this.#now();
    for (const entry of this.#entries.values()) {
      if (entry.waits.size === 0 && now - entry.lastWaitedAt > idleLifeMs) this.#close(entry);
    }
    for (const [key, late] of this.#late) if (now - late.at > lateLifeMs) this.#late.delete(key);
  }

  #view(entry: Entry): OpenQuestion {
    const deadlines = [...entry.waits].map((wait) => wait.deadline);
    return {
      ...entry.base,
      openedAt: this.#shown(entry.base.openedAt),
      waiting: entry.waits.size,
      deadline: deadlines.length === 0 ? undefined : this.#shown(Math.max(...deadlines)),
      refused: entry.refused,
    };
  }

  #emit(event: QuestionEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** The question was answered, or never was. */
export function noSuchQuestion(id: string): Fault {
  return new Fault(
    'usage',
    `No open question has the number ${id}. It was answered elsewhere, or the daemon started again since.`,
  );
}

function keyOf({ owner, connection, question }: StandingRequest): string {
  const who = owner.kind === 'user' ? String(owner.uid) : 'machine';
  const what = question.kind === 'key' ? question.identity.fingerprint : 'cleartext';
  return [who, formatEndpoint(connection.server), what].join(' ');
}
