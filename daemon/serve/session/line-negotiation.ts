// The commands in clear of a connection on which X-SafeTP1 may still be asked for: one at a time, in order, for DIGT covers them all;
// what costs public-key operations when it is this connection's turn, and each step of the negotiation in its time.
import type { Command } from '../../ftp/command-reader.js';
import { FIRST_ADAT_MS, STEP_MS } from '../../security/safetp/limits.js';
import type { ClientShield } from './client-shield.js';
import type { ServeEffect } from './events.js';
import { LOGIN_MS } from './limits.js';

export type NegotiatedStep =
  /** Not the mechanism's: judge it as ever. */
  | { readonly kind: 'clear' }
  | { readonly kind: 'answered' }
  /** Lines are protected from here on. */
  | { readonly kind: 'secured' }
  /** Send this, if it is not empty, and close. */
  | { readonly kind: 'over'; readonly bytes: Uint8Array };

/** Of one connection, until it is secured or goes another way. */
export class LineNegotiation {
  readonly #shield: ClientShield;
  readonly #emit: (effect: ServeEffect) => void;
  #turn: 'none' | 'asked' | 'granted' = 'none';
  #timed = false;
  #waitedForPerson = false;

  constructor(shield: ClientShield, emit: (effect: ServeEffect) => void) {
    this.#shield = shield;
    this.#emit = emit;
  }

  /** A line of the negotiation is due, and its time runs. */
  get timed(): boolean {
    return this.#timed;
  }

  onTurn(): void {
    if (this.#turn === 'asked') this.#turn = 'granted';
  }

  /** May this command be taken now? If not, it is asked for. */
  hasTurn({ verb }: Command): boolean {
    if (verb !== 'ADAT' || this.#turn === 'granted') return true;
    if (this.#turn === 'none') {
      this.#expect(STEP_MS);
      this.#emit({ kind: 'awaitTurn' });
    }
    this.#turn = 'asked';
    return false;
  }

  /** The oldest command, with how many bytes came behind it; the mechanism's own answer is sent. */
  take(command: Command, following: number): NegotiatedStep {
    this.#turn = 'none';
    if (this.#timed) this.#emit({ kind: 'clearTimer', timer: 'handshake' });
    this.#timed = false;
    const step = this.#shield.receive(command.line, following);
    switch (step.kind) {
      case 'clear':
        return { kind: 'clear' };
      case 'close':
        return { kind: 'over', bytes: step.bytes };
      case 'request':
        // Nothing is protected yet.
        return { kind: 'over', bytes: Buffer.alloc(0) };
      case 'send':
        this.#emit({ kind: 'sendClient', bytes: step.bytes });
        if (this.#shield.secured) return { kind: 'secured' };
        this.#expect(step.waitMs);
        return { kind: 'answered' };
    }
  }

  #expect(ms: number): void {
    this.#emit({ kind: 'setTimer', timer: 'handshake', ms });
    this.#timed = true;
    // A person may be answering the question about the key; once, so that nobody holds the connection by asking for it again.
    if (ms < FIRST_ADAT_MS || this.#waitedForPerson) return;
    this.#waitedForPerson = true;
    this.#emit({ kind: 'setTimer', timer: 'login', ms: ms + LOGIN_MS });
  }
}
