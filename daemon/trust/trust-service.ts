// Brings memory, verdict, policy and people together: the one place that answers a session's question of trust.
import { assertNever } from '../../shared/assert-never.js';
import { Fault } from '../../shared/fault.js';
import type { HostPolicy } from '../../shared/policy.js';
import {
  type Concern,
  type Connection,
  type Decision,
  type Question,
  type ServerIdentity,
} from '../../shared/trust.js';
import { BrandWatch } from './brand-watch.js';
import { cautious, mayDecide } from './caution.js';
import { concernOf, earlierKeys } from './concern.js';
import { fingerprintOf, ownerOf } from './connection-place.js';
import { answerOf, type GivenAnswer } from './given-answer.js';
import { isAtServer, isFixed } from './pin-record.js';
import {
  noSuchQuestion,
  type Answer,
  type OpenQuestion,
  type PromptBroker,
  type WaitOutcome,
} from './prompt-broker.js';
import * as say from './sentences.js';
import type { TrustStore } from './store.js';
import { TrustMemory } from './trust-memory.js';
import { judgeKey, type Verdict } from './verdict.js';
import { vouchedHere } from './vouched-names.js';

/** What the service needs from its surroundings. */
export interface TrustSurroundings {
  readonly store: TrustStore;
  readonly broker: PromptBroker;
  readonly now: () => number;
  /**
   * A name that the certificate is made out to, with a good chain, and that resolves to the server's address. Takes a bounded time.
   * It proves nothing about where the program wanted to go. Never rejects.
   */
  readonly claimedName?:
    ((connection: Connection, identity: ServerIdentity) => Promise<string | undefined>) | undefined;
  /** The name of the program that owns the connection, for the question. Never rejects. */
  readonly programOf: (connection: Connection) => Promise<string | undefined>;
  readonly note: (message: string, fields: Readonly<Record<string, string | number>>) => void;
  readonly observe?: TrustObserver;
  /** Whether people answer questions about trust; else only root does, and what people would be asked is refused. */
  readonly peopleMayTrust?: boolean;
}

/** Told of what a person will look for later. Never throws. */
export type TrustObserver = (event: TrustEvent) => void;

export type TrustEvent =
  | { readonly kind: 'answered'; readonly question: OpenQuestion; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly connection: Connection; readonly sentence: string };

type KeyQuestion = Extract<Question, { readonly kind: 'key' }>;

const allow: Decision = { kind: 'allow' };

export class TrustService {
  readonly #world: TrustSurroundings;
  readonly #memory: TrustMemory;
  /** Sessions with a judgement under way, and whether they have left meanwhile. */
  readonly #judging = new Map<string, { gone: boolean }>();
  readonly #brands = new BrandWatch();
  readonly #observe: TrustObserver;

  constructor(world: TrustSurroundings) {
    this.#world = world;
    this.#memory = new TrustMemory(world.store, world.now);
    this.#observe = world.observe ?? (() => undefined);
  }

  /**
   * Whether this server was secure before, or has a key here: then cleartext to it is an attack until proven otherwise. True
   * also while that can't be known.
   */
  knownSecure(connection: Connection): boolean {
    return this.#memory.wasSecure(connection);
  }

  /**
   * Whether all that is known of this server came by this one mechanism; false also where that can't be known. For a server that
   * was secure: then a weaker mechanism may be all that it ever had.
   */
  async onlyKnownBy(connection: Connection, mechanism: string): Promise<boolean> {
    const { server, name } = connection;
    const known = await this.#memory.know(connection, undefined).catch(() => undefined);
    const here = known?.pins.filter((pin) => isAtServer(pin, server, name)) ?? [];
    return here.length > 0 && here.every((pin) => pin.mechanism === mechanism);
  }

  /**
   * The decision on one question. May wait for a person up to the policy's time-out; `withdraw` ends the wait.
   * A refusal's sentence is one line of ASCII of at most 300 characters, without reply code. Rejects with a Fault of
   * code `store` or `key`, which the caller must treat as a refusal.
   */
  async judge(
    sessionId: string,
    connection: Connection,
    policy: HostPolicy,
    question: Question,
  ): Promise<Decision> {
    this.#judging.set(sessionId, { gone: false });
    try {
      const decision =
        question.kind === 'key'
          ? await this.#judgeKey(sessionId, connection, policy, question)
          : await this.#judgeCleartext(sessionId, connection, policy, question);
      if (decision.kind === 'refuse')
        this.#observe({ kind: 'refused', connection, sentence: decision.sentence });
      return decision;
    } catch (error) {
      this.#observe({ kind: 'refused', connection, sentence: Fault.from(error).userMessage });
      throw error;
    } finally {
      this.#judging.delete(sessionId);
    }
  }

  /** The session needs no decision any more. */
  withdraw(sessionId: string): void {
    const judging = this.#judging.get(sessionId);
    if (judging !== undefined) judging.gone = true;
    this.#world.broker.withdraw(sessionId);
  }

  /**
   * Answers an open question; the caller has checked that the person may. `always`, a matching fingerprint and a typed
   * name are stored before anyone is let through. Returns how many sessions waited. Throws a Fault of code `usage` for an
   * unknown question or a wrong name, and of code `key` for a fingerprint that does not match; the question then stays open.
   */
  async answer(id: string, given: GivenAnswer): Promise<number> {
    const open = this.#world.broker.find(id);
    if (open === undefined) throw noSuchQuestion(id);
    const answer = answerOf(open, given);
    if (answer === 'always') await this.#memory.keepAnswer(open);
    this.#world.note('question answered', { server: say.serverLabel(open.connection), answer });
    this.#observe({ kind: 'answered', question: open, answer });
    return this.#world.broker.answer(id, answer);
  }

  async #judgeKey(
    sessionId: string,
    connection: Connection,
    policy: HostPolicy,
    question: KeyQuestion,
  ): Promise<Decision> {
    const verdict = await this.#verdict(connection, question.identity, policy);
    const mayAsk = this.#mayAsk(connection);
    if (verdict.action === 'refuse') {
      if (verdict.kind === 'changed' && mayAsk) await this.#post(connection, question, concernOf(verdict));
      return this.#refuseKey(connection, question.identity, verdict);
    }
    const identity = await this.#withVouchedName(connection, question.identity, verdict);
    if (verdict.action === 'accept') return this.#acceptKey(connection, identity, verdict);
    if (!mayAsk) return { kind: 'refuse', sentence: say.notForPeople(connection, question) };
    const named = { ...question, identity };
    const why = say.whyKeyIsAsked(verdict, connection, identity.caValidFor);
    const asked = { connection, question: named, concern: concernOf(verdict), why };
    const outcome = await this.#ask(sessionId, policy, asked);
    const decision = this.#decisionOf(outcome, connection, question);
    if (decision.kind === 'refuse') return decision;
    // While the person thought, the key may have been revoked or another one pinned for this server.
    const again = await this.#verdict(connection, identity, policy);
    if (again.action === 'refuse') return this.#refuseKey(connection, identity, again);
    if (again.kind === 'known') return this.#acceptKey(connection, identity, again);
    await this.#memory.rememberSecured(connection);
    return allow;
  }

  /** With the name that the pin will hold, for the day on which an authority vouches for the next key. */
  async #withVouchedName(
    connection: Connection,
    identity: ServerIdentity,
    verdict: Verdict,
  ): Promise<ServerIdentity> {
    if (verdict.kind === 'renewed') return { ...identity, caValidFor: verdict.name };
    if (verdict.kind !== 'new' || identity.caValidFor !== undefined) return identity;
    const caValidFor = await this.#world.claimedName?.(connection, identity);
    return caValidFor === undefined ? identity : { ...identity, caValidFor };
  }

  async #judgeCleartext(
    sessionId: string,
    connection: Connection,
    policy: HostPolicy,
    question: Extract<Question, { readonly kind: 'cleartext' }>,
  ): Promise<Decision> {
    const known = await this.#memory.know(connection, undefined);
    const mayAsk = this.#mayAsk(connection);
    const { cleartext } = (known.uncertain ? cautious(policy) : policy).fallback;
    if (known.fixed) return { kind: 'refuse', sentence: say.downgradedFixed(connection) };
    if (known.wasSecure) {
      // Where the configuration refuses cleartext no answer would help.
      if (cleartext !== 'refuse' && mayAsk) {
        const earlier = earlierKeys(known.pins.filter((pin) => !pin.revoked));
        await this.#post(connection, question, { kind: 'downgraded', earlier });
      }
      return { kind: 'refuse', sentence: say.downgraded(connection) };
    }
    const warned: Decision = question.anonymous
      ? allow
      : { kind: 'allow', warning: say.cleartextWarning(connection) };
    switch (cleartext) {
      case 'allow':
        return allow;
      case 'warn':
        return warned;
      case 'refuse':
        return { kind: 'refuse', sentence: say.cleartextRefused(connection) };
      case 'ask': {
        if (known.cleartextAllowed) return warned;
        if (!mayAsk) return { kind: 'refuse', sentence: say.notForPeople(connection, question) };
        const why = 'This server offers no encryption: password and files can be read on the way.';
        const asked = { connection, question, concern: { kind: 'cleartext' }, why } as const;
        const outcome = await this.#ask(sessionId, policy, asked);
        const decision = this.#decisionOf(outcome, connection, question);
        if (decision.kind === 'refuse') return decision;
        const again = await this.#memory.know(connection, undefined);
        return again.wasSecure ? { kind: 'refuse', sentence: say.downgraded(connection) } : warned;
      }
      default:
        return assertNever(cleartext);
    }
  }

  async #verdict(connection: Connection, identity: ServerIdentity, policy: HostPolicy): Promise<Verdict> {
    const fingerprint = fingerprintOf(identity);
    const { pins, uncertain } = await this.#memory.know(connection, fingerprint);
    const { server, name, nameFrom, alsoNamed = [], namesIncomplete } = connection;
    return judgeKey({
      pins,
      server,
      name,
      nameFrom,
      alsoNamed,
      namesIncomplete,
      fingerprint,
      vouchedFor: vouchedHere(identity, connection, pins),
      policy: (uncertain ? cautious(policy) : policy).trust,
    });
  }

  #mayAsk(connection: Connection): boolean {
    return mayDecide(ownerOf(connection), this.#world.peopleMayTrust !== false);
  }

  #refuseKey(connection: Connection, identity: ServerIdentity, verdict: Verdict): Decision {
    this.#note('key refused', connection, identity, verdict);
    return { kind: 'refuse', sentence: say.refusedKey(connection, identity, verdict) };
  }

  async #acceptKey(connection: Connection, identity: ServerIdentity, verdict: Verdict): Promise<Decision> {
    // A key of the administrator's is known by name as well: no copy of it stays when the administrator takes it away.
    const isHere =
      verdict.kind === 'known' &&
      (isFixed(verdict.pin) ||
        (verdict.pin.address === connection.server.address && verdict.pin.port === connection.server.port));
    const isRenamed = this.#brands.hasChanged(identity);
    if (isHere && isRenamed) this.#note('a known key shows another name', connection, identity, verdict);
    if (isHere) this.#memory.touch(verdict.pin);
    else {
      this.#note('key accepted', connection, identity, verdict);
      await this.#memory.keepAccepted(connection, identity, verdict.kind);
    }
    await this.#memory.rememberSecured(connection);
    return allow;
  }

  /** Asks without making anyone wait: the session is refused now, the answer counts for the next one. */
  async #post(connection: Connection, question: Question, concern: Concern): Promise<void> {
    const program = await this.#world.programOf(connection);
    const why = say.whyRefusedAtOnce(concern);
    const owner = ownerOf(connection);
    this.#world.broker.post({ owner, connection, question, concern, why, program });
  }

  async #ask(
    sessionId: string,
    policy: HostPolicy,
    asked: Pick<OpenQuestion, 'connection' | 'question' | 'concern' | 'why'>,
  ): Promise<WaitOutcome> {
    const program = await this.#world.programOf(asked.connection);
    // Nobody sits at a device: it is refused now, and the administrator's answer counts for its next try.
    const timeoutMs = asked.connection.forwarded === true ? 0 : policy.trust.promptTimeoutMs;
    const owner = ownerOf(asked.connection);
    if (this.#judging.get(sessionId)?.gone === true) return { kind: 'withdrawn', id: undefined };
    return this.#world.broker.ask({ sessionId, owner, ...asked, program, timeoutMs });
  }

  #decisionOf(outcome: WaitOutcome, connection: Connection, question: Question): Decision {
    switch (outcome.kind) {
      case 'answered':
        return outcome.answer === 'refuse'
          ? { kind: 'refuse', sentence: say.answeredNo(connection, question) }
          : allow;
      case 'tooMany':
        return { kind: 'refuse', sentence: say.tooManyQuestions(connection) };
      case 'timedOut':
      case 'withdrawn':
        return { kind: 'refuse', sentence: say.notAnswered(connection, question, outcome.id) };
    }
  }

  #note(message: string, connection: Connection, identity: ServerIdentity, verdict: Verdict): void {
    this.#world.note(message, {
      server: say.serverLabel(connection),
      key: identity.fingerprint,
      verdict: verdict.kind,
      rule: verdict.rule,
      ...(identity.brand === undefined ? {} : { brand: identity.brand }),
    });
  }
}
