// Which reply answers which command. Replies carry no number, so the order is all there is; during a transfer even that
// is loose, because servers answer ABOR, STAT, NOOP and QUIT before or after the transfer's own end.
import { replyClass } from './reply-reader.js';

/** A command that was sent to the server and whose final reply is outstanding. */
export type Exchange =
  /** The client's; replies go to it line by line. */
  | { readonly kind: 'relay'; readonly verb: string; readonly argument: string; readonly outOfBand: boolean }
  /** The client's ABOR. Some servers answer transfer and ABOR with one reply, so it may never get its own. */
  | { readonly kind: 'abort' }
  | { readonly kind: 'clientAuth' }
  /** Our own commands, whose replies the client never sees. */
  | { readonly kind: 'auth' }
  | { readonly kind: 'pbsz' }
  | { readonly kind: 'prot' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'setup' }
  | { readonly kind: 'transfer' }
  | { readonly kind: 'reinitialise' };

const OUT_OF_BAND_CODES: Readonly<Record<string, readonly number[]>> = {
  NOOP: [200],
  STAT: [211, 212, 213],
  QUIT: [221],
};
const NOT_UNDERSTOOD: readonly number[] = [500, 501, 502, 503, 504];
const ABORT_ANSWERS: readonly number[] = [225, 226, 426, ...NOT_UNDERSTOOD];

/** The outstanding exchanges of one control connection, oldest first. */
export class Pairing {
  readonly #queue: Exchange[] = [];
  #transferBegun = false;

  /** A command was sent. */
  expect(exchange: Exchange): void {
    if (exchange.kind === 'transfer') this.#transferBegun = false;
    this.#queue.push(exchange);
  }

  /**
   * The exchange that a reply with this code belongs to; undefined for an unsolicited one. It is taken off unless the
   * reply is preliminary. Rules: 1. a preliminary reply belongs to the oldest. 2. While a transfer is the oldest, a
   * code that only an out-of-band command can get belongs to that command. 3. An ABOR at the front that can't have this
   * code was answered together with its transfer, and is dropped. 4. Else the oldest.
   */
  match(code: number): Exchange | undefined {
    const head = this.#queue[0];
    if (head === undefined) return undefined;
    if (replyClass(code) === 1) {
      if (head.kind === 'transfer') this.#transferBegun = true;
      return head;
    }
    if (head.kind === 'transfer') {
      const at = this.#outOfBandFor(code);
      if (at > 0) return this.#queue.splice(at, 1)[0];
    }
    if (head.kind === 'abort' && this.#queue.length > 1 && !ABORT_ANSWERS.includes(code)) {
      this.#queue.shift();
      return this.match(code);
    }
    return this.#queue.shift();
  }

  #outOfBandFor(code: number): number {
    const exact = this.#queue.findIndex(
      (exchange) => exchange.kind === 'relay' && (OUT_OF_BAND_CODES[exchange.verb] ?? []).includes(code),
    );
    if (exact > 0) return exact;
    if (code === 225) return this.#queue.findIndex((exchange) => exchange.kind === 'abort');
    if (!this.#transferBegun || !NOT_UNDERSTOOD.includes(code)) return -1;
    return this.#queue.findIndex((exchange) => exchange.kind !== 'transfer');
  }

  /** Nothing is outstanding but an ABOR that may have been answered already. */
  get idle(): boolean {
    return this.#queue.every((exchange) => exchange.kind === 'abort');
  }

  /** Only commands are outstanding behind which any simple command may be sent. */
  get pipelinable(): boolean {
    return this.#queue.every(
      ({ kind }) =>
        kind === 'relay' || kind === 'pbsz' || kind === 'prot' || kind === 'silent' || kind === 'abort',
    );
  }

  /** A transfer command is outstanding. */
  get transferring(): boolean {
    return this.#queue.some((exchange) => exchange.kind === 'transfer');
  }

  get size(): number {
    return this.#queue.length;
  }

  /** Forgets everything: the connection is gone or starts anew. */
  clear(): void {
    this.#queue.length = 0;
  }
}
