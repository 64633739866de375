// Tries the mechanisms one after the other on an unprotected control connection.
import { hintedAttempts, mechanismAttempts } from '../security/registry.js';
import type { MechanismClient, MechanismContext, MechanismStep } from '../security/mechanism.js';
import type { Reply } from './reply-reader.js';

export type NegotiationStep =
  | Exclude<MechanismStep, { readonly kind: 'refused' }>
  /** Nothing was accepted; the reason lists every attempt. */
  | { readonly kind: 'exhausted'; readonly reason: string };

/** One negotiation of one control connection. At most as many AUTHs as the registry has words. */
export class Negotiation {
  readonly #allowed: readonly string[];
  readonly #context: MechanismContext | undefined;
  readonly #attempts: MechanismClient[];
  readonly #tried = new Set<string>();
  readonly #reasons: string[] = [];
  #current: MechanismClient | undefined;
  #accepted: (() => MechanismStep) | undefined;

  constructor(allowed: readonly string[], context?: MechanismContext) {
    this.#allowed = allowed;
    this.#context = context;
    this.#attempts = [...mechanismAttempts(allowed, context)];
  }

  /** The first step. */
  start(): NegotiationStep {
    return this.#next();
  }

  /** The reply to the line last sent. */
  onReply(reply: Reply): NegotiationStep {
    if (this.#current === undefined) return this.#exhausted();
    return this.#take(this.#current.onReply(reply));
  }

  /** The key that a mechanism showed was accepted. */
  onAccepted(): NegotiationStep {
    const accepted = this.#accepted;
    this.#accepted = undefined;
    return accepted === undefined ? this.#exhausted() : this.#take(accepted());
  }

  /** The reasons so far, with one more: for a server that hung up or fell silent. */
  reasonWith(event: string): string {
    const pending = this.#current === undefined ? event : `AUTH ${this.#current.word}: ${event}`;
    return [...this.#reasons, pending].join('; ');
  }

  #take(step: MechanismStep): NegotiationStep {
    if (step.kind === 'judge') this.#accepted = step.accepted;
    if (step.kind !== 'refused') return step;
    this.#reasons.push(step.reason);
    const hinted = hintedAttempts(this.#allowed, step.hints, this.#context);
    this.#attempts.unshift(...hinted.filter((attempt) => !this.#tried.has(attempt.word)));
    return this.#next();
  }

  #next(): NegotiationStep {
    this.#current = this.#attempts.shift();
    while (this.#current !== undefined && this.#tried.has(this.#current.word))
      this.#current = this.#attempts.shift();
    if (this.#current === undefined) return this.#exhausted();
    this.#tried.add(this.#current.word);
    return this.#take(this.#current.start());
  }

  #exhausted(): NegotiationStep {
    return {
      kind: 'exhausted',
      reason: this.#reasons.join('; ') || 'no mechanism is both known and allowed',
    };
  }
}
