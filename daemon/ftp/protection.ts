// The data protection of the server's side: PBSZ and PROT (RFC 2228, RFC 4217 section 9), asked before login and, where a server
// wants the login first, once more after it.
import type { DataProtection } from '../../shared/policy.js';
import { replyClass, type Reply } from './reply-reader.js';

export type ProtectionState = 'unknown' | 'asked' | 'private' | 'clear' | 'refused';

const ATTEMPTS_MAX = 3;

/** Tracks what PROT level holds. Transfers may start only when `settled`. */
export class Protection {
  readonly #wanted: DataProtection;
  #state: ProtectionState = 'unknown';
  #attempts = 0;

  constructor(wanted: DataProtection) {
    this.#wanted = wanted;
  }

  get state(): ProtectionState {
    return this.#state;
  }

  /** The level is known; ask again otherwise. */
  get settled(): boolean {
    return this.#state === 'private' || this.#state === 'clear' || this.#state === 'refused';
  }

  /** The commands to send now; empty when nothing is to be asked. TLS has no use for a buffer size: 0. */
  ask(bufferSize = 0): readonly string[] {
    if (this.settled || this.#state === 'asked') return [];
    if (this.#attempts === ATTEMPTS_MAX) {
      this.#state = this.#wanted === 'auto' ? 'clear' : 'refused';
      return [];
    }
    this.#attempts += 1;
    this.#state = 'asked';
    return [`PBSZ ${bufferSize}`, this.#wanted === 'clear' ? 'PROT C' : 'PROT P'];
  }

  /** The final reply to PROT; `loggedIn` tells whether a later attempt could fare better. */
  onProtReply(reply: Reply, loggedIn: boolean): void {
    if (replyClass(reply.code) === 2) this.#state = this.#wanted === 'clear' ? 'clear' : 'private';
    else if (this.#wanted === 'clear') this.#state = 'clear';
    else if (!loggedIn) this.#state = 'unknown';
    else this.#state = this.#wanted === 'auto' ? 'clear' : 'refused';
  }

  /** The server reset its security state (REIN); everything is to be asked again. */
  reset(): void {
    this.#state = 'unknown';
    this.#attempts = 0;
  }
}
