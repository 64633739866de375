// Bounds the wait for the server's answer to what ftpseal itself asked after the connection was secured or clear was allowed: PBSZ,
// PROT, EPSV, PASV, PORT, NOOP. The client knows nothing of these commands, so it could not tell what it waits for.
import type { Control } from './control.js';
import { NEGOTIATION_REPLY_MS } from './limits.js';
import type { OwnExchange } from './pairing.js';

/**
 * The time runs from when it is the server's turn to answer, not from when the command was sent: how long it works on a command of
 * the client's is the client's business. Part of an answer does not stretch it.
 */
export class AnswerWatch {
  readonly #control: Control;
  #due: OwnExchange | undefined;

  constructor(control: Control) {
    this.#control = control;
  }

  /** To be called whenever something was sent or answered. */
  look(): void {
    const { pairing, outbox } = this.#control;
    if (pairing.due === this.#due) return;
    this.#due = pairing.due;
    if (this.#due === undefined) outbox.clearTimer('answer');
    else outbox.setTimer('answer', NEGOTIATION_REPLY_MS);
  }

  /** The verb of the command whose answer is waited for. */
  get verb(): string | undefined {
    return this.#due?.verb;
  }
}
