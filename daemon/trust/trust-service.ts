// Brings store, verdict, policy and people together: the one place that answers a session's question of trust.
import { assertNever } from '../../shared/assert-never.js';
import { Fault } from '../../shared/fault.js';
import { parseFingerprint, type KeyFingerprint } from '../../shared/fingerprint.js';
import type { HostPolicy } from '../../shared/policy.js';
import {
  type Concern,
  type Connection,
  type Decision,
  type Question,
  type ServerIdentity,
} from '../../shared/trust.js';
import { BrandWatch } from './brand-watch.js';
import { concernOf, earlierKeys } from './concern.js';
import { ownerOf, placeOf } from './connection-place.js';
import { answerOf, type GivenAnswer } from './given-answer.js';
import {
  concernsOwner,
  isAtServer,
  isSameName,
  isSameOwner,
  type Owner,
  type PinRecord,
} from './pin-record.js';
import {
  noSuchQuestion,
  type Answer,
  type OpenQuestion,
  type PromptBroker,
  type WaitOutcome,
} from './prompt-broker.js';
import * as say from './sentences.js';
import type { Knowledge, TrustStore } from './store.js';
import { judgeKey, type Verdict } from './verdict.js';

/** What the service needs from its surroundings. */
export interface TrustSurroundings {
  readonly store: TrustStore;
  readonly broker: PromptBroker;
  readonly now: () => number;
  /** The name of the program that owns the connection, for the question. Never rejects. */
  readonly programOf: (connection: Connection) => Promise<string | undefined>;
  readonly note: (message: string, fields: Readonly<Record<string, string | number>>) => void;
  readonly observe?: TrustObserver;
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
  /** Sessions with a judgement under way, and whether they have left meanwhile. */
  readonly #judging = new Map<string, { gone: boolean }>();
  readonly #brands = new BrandWatch();
  readonly #observe: TrustObserver;

  constructor(world: TrustSurroundings) {
    this.#world = world;
    this.#observe = world.observe ?? (() => undefined);
  }

  /**
   * Whether this server was secure before, or has a key here: then cleartext to it is an attack until proven otherwise. True
   * also while that can't be known.
   */
  knownSecure(connection: Connection): boolean {
    const { server, name } = connection;
    return this.#world.store.wasSecure({ owner: ownerOf(connection), server, name, fingerprint: undefined });
  }

  /**
   * Whether all that is known of this server came by this one mechanism; false also where that can't be known. For a server that
   * was secure: then a weaker mechanism may be all that it ever had.
   */
  async onlyKnownBy(connection: Connection, mechanism: string): Promise<boolean> {
    const { server, name } = connection;
    const known = await this.#know(connection, undefined).catch(() => undefined);
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
    if (answer === 'always') await this.#store(open);
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
    if (verdict.action === 'refuse') {
      if (verdict.kind === 'changed') await this.#post(connection, question, concernOf(verdict));
      return this.#refuseKey(connection, question.identity, verdict);
    }
    if (verdict.action === 'accept') return this.#acceptKey(connection, question.identity, verdict);
    const asked = { connection, question, concern: concernOf(verdict), why: say.whyKeyIsAsked(verdict) };
    const outcome = await this.#ask(sessionId, policy, asked);
    const decision = this.#decisionOf(outcome, connection, question);
    if (decision.kind === 'refuse') return decision;
    // While the person thought, the key may have been revoked or another one pinned for this server.
    const again = await this.#verdict(connection, question.identity, policy);
    if (again.action === 'refuse') return this.#refuseKey(connection, question.identity, again);
    if (again.kind === 'known') return this.#acceptKey(connection, question.identity, again);
    await this.#rememberSecured(connection);
    return allow;
  }

  async #judgeCleartext(
    sessionId: string,
    connection: Connection,
    policy: HostPolicy,
    question: Extract<Question, { readonly kind: 'cleartext' }>,
  ): Promise<Decision> {
    const known = await this.#know(connection, undefined);
    if (known.wasSecure) {
      // Where the configuration refuses cleartext no answer would help.
      if (policy.fallback.cleartext !== 'refuse') {
        const earlier = earlierKeys(known.pins.filter((pin) => !pin.revoked));
        await this.#post(connection, question, { kind: 'downgraded', earlier });
      }
      return { kind: 'refuse', sentence: say.downgraded(connection) };
    }
    const warned: Decision = question.anonymous
      ? allow
      : { kind: 'allow', warning: say.cleartextWarning(connection) };
    switch (policy.fallback.cleartext) {
      case 'allow':
        return allow;
      case 'warn':
        return warned;
      case 'refuse':
        return { kind: 'refuse', sentence: say.cleartextRefused(connection) };
      case 'ask': {
        if (known.cleartextAllowed) return warned;
        const why = 'This server offers no encryption: password and files can be read on the way.';
        const asked = { connection, question, concern: { kind: 'cleartext' }, why } as const;
        const outcome = await this.#ask(sessionId, policy, asked);
        const decision = this.#decisionOf(outcome, connection, question);
        if (decision.kind === 'refuse') return decision;
        const again = await this.#know(connection, undefined);
        return again.wasSecure ? { kind: 'refuse', sentence: say.downgraded(connection) } : warned;
      }
      default:
        return assertNever(policy.fallback.cleartext);
    }
  }

  async #verdict(connection: Connection, identity: ServerIdentity, policy: HostPolicy): Promise<Verdict> {
    const fingerprint = fingerprintOf(identity);
    const { pins } = await this.#know(connection, fingerprint);
    return judgeKey({
      pins,
      server: connection.server,
      name: connection.name,
      fingerprint,
      caValidFor: identity.caValidFor,
      policy: policy.trust,
    });
  }

  #know(connection: Connection, fingerprint: KeyFingerprint | undefined): Promise<Knowledge> {
    const { server, name } = connection;
    return this.#world.store.know({ owner: ownerOf(connection), server, name, fingerprint });
  }

  #refuseKey(connection: Connection, identity: ServerIdentity, verdict: Verdict): Decision {
    this.#note('key refused', connection, identity, verdict);
    return { kind: 'refuse', sentence: say.refusedKey(connection, identity, verdict) };
  }

  async #acceptKey(connection: Connection, identity: ServerIdentity, verdict: Verdict): Promise<Decision> {
    const { store, now } = this.#world;
    const isHere =
      verdict.kind === 'known' &&
      verdict.pin.address === connection.server.address &&
      verdict.pin.port === connection.server.port;
    const isRenamed = this.#brands.hasChanged(identity);
    if (isHere && isRenamed) this.#note('a known key shows another name', connection, identity, verdict);
    if (isHere) store.touch(verdict.pin, now());
    else {
      this.#note('key accepted', connection, identity, verdict);
      await store.putPin(this.#newPin(connection, identity, verdict.kind));
      await this.#retireRenewed(connection, identity);
    }
    await this.#rememberSecured(connection);
    return allow;
  }

  /**
   * A renewed key takes the old one's place: the old one must not be good for this server any more. Only the owner's
   * own records, and only those that an authority vouched for under the same name (rule 3).
   */
  async #retireRenewed(connection: Connection, identity: ServerIdentity): Promise<void> {
    const fingerprint = fingerprintOf(identity);
    const { pins } = await this.#know(connection, fingerprint);
    const old = pins.filter(
      (pin) =>
        !pin.revoked &&
        pin.fingerprint !== fingerprint &&
        isSameOwner(pin.owner, ownerOf(connection)) &&
        isAtServer(pin, connection.server, connection.name) &&
        isSameName(pin.caValidFor, identity.caValidFor),
    );
    if (old.length > 0) await this.#world.store.removePins(old);
  }

  #newPin(connection: Connection, identity: ServerIdentity, why: Verdict['kind']): PinRecord {
    const at = this.#world.now();
    const comments: Partial<Record<Verdict['kind'], string>> = {
      renewed: 'renewed, vouched for by a certificate authority',
      replicated: 'known from another address',
      caValid: 'vouched for by a certificate authority',
      known: 'known by the server’s name',
      new: 'accepted at first contact',
    };
    return {
      owner: ownerOf(connection),
      address: connection.server.address,
      port: connection.server.port,
      ...(connection.name === undefined ? {} : { name: connection.name }),
      fingerprint: fingerprintOf(identity),
      mechanism: identity.mechanism,
      ...(identity.caValidFor === undefined ? {} : { caValidFor: identity.caValidFor }),
      firstSeen: at,
      lastUsed: at,
      count: 1,
      revoked: false,
      comment: comments[why] ?? '',
    };
  }

  async #rememberSecured(connection: Connection): Promise<void> {
    await this.#world.store.rememberSecured({ ...placeOf(connection), lastSecured: this.#world.now() });
  }

  async #store(open: OpenQuestion): Promise<void> {
    const { connection, question, concern } = open;
    if (question.kind === 'cleartext') {
      if (concern.kind === 'downgraded') await this.#forgetSecurity(connection);
      await this.#world.store.allowCleartext({ ...placeOf(connection), since: this.#world.now() });
      return;
    }
    const { pins } = await this.#know(connection, fingerprintOf(question.identity));
    if (pins.some((pin) => pin.revoked && pin.fingerprint === question.identity.fingerprint)) {
      throw new Fault('key', 'This key was revoked meanwhile. Nothing was trusted.');
    }
    const pin = { ...this.#newPin(connection, question.identity, 'new'), comment: 'trusted by a person' };
    // The sessions that wait count themselves when they are let through.
    await this.#world.store.putPin({ ...pin, count: 0 });
    if (concern.kind === 'changed') await this.#retireReplaced(connection, question.identity);
    else await this.#retireRenewed(connection, question.identity);
  }

  /** A person replaced the key: the old ones of theirs must not be good for this server any more. Revoked ones stay. */
  async #retireReplaced(connection: Connection, identity: ServerIdentity): Promise<void> {
    const { pins } = await this.#know(connection, fingerprintOf(identity));
    const old = pins.filter(
      (pin) =>
        !pin.revoked &&
        pin.fingerprint !== identity.fingerprint &&
        isSameOwner(pin.owner, ownerOf(connection)) &&
        isAtServer(pin, connection.server, connection.name),
    );
    if (old.length > 0) await this.#world.store.removePins(old);
  }

  /**
   * Forgets for the connection's owner that the server was secure. Throws a Fault where that is not theirs to forget, or
   * where a revoked key would become good again.
   */
  async #forgetSecurity(connection: Connection): Promise<void> {
    const owner = ownerOf(connection);
    const { server, name } = connection;
    const isOthers = (record: { readonly owner: Owner }) => !isSameOwner(record.owner, owner);
    // One's own may be in a keychain, which must be open for this; what others have seen is at hand.
    const own = await this.#world.store.contents(owner);
    const contents = await this.#world.store.contents();
    const counting = [...own.pins, ...contents.pins.filter(isOthers)];
    const pins = counting.filter((pin) => concernsOwner(pin, owner) && isAtServer(pin, server, name));
    const secured = contents.secured.filter(
      (one) => one.claimed !== true && isAtServer(one, server, name) && isOthers(one),
    );
    const counted = secured.filter((one) => concernsOwner(one, owner) || one.address === server.address);
    if (pins.some(isOthers) || counted.length > 0) {
      throw new Fault(
        'not-permitted',
        'Others on this machine use this server encrypted, so this is not yours to allow. Ask the administrator.',
      );
    }
    if (pins.some((pin) => pin.revoked)) {
      throw new Fault('key', 'A key of this server was revoked. Remove that key first if it was a mistake.');
    }
    await this.#world.store.removePins(pins);
    await this.#world.store.forgetPlace(placeOf(connection));
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
    const timeoutMs = policy.trust.promptTimeoutMs;
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

function fingerprintOf(identity: ServerIdentity): KeyFingerprint {
  const fingerprint = parseFingerprint(identity.fingerprint);
  if (fingerprint === undefined) throw new Fault('key', 'The server’s key has no valid fingerprint.');
  return fingerprint;
}
