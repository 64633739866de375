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
  | OwnExchange
  | { readonly kind: 'transfer' }
  | { readonly kind: 'reinitialise' };

/** What one of our own commands is for. */
export type OwnKind = 'auth' | 'pbsz' | 'prot' | 'silent' | 'setup';

/** Our own command, whose reply the client never sees. */
export interface OwnExchange {
  readonly kind: OwnKind;
  readonly verb: string;
}

const OUT_OF_BAND_CODES: Readonly<Record<string, readonly number[]>> = {
  NOOP: [200],
  STAT: [211, 212, 213],
  QUIT: [221],
};
const NOT_UNDERSTOOD: readonly number[] = [500, 501, 502, 503, 504];
const ABORT_ANSWERS: readonly number[] = [225, 226, 426, ...NOT_UNDERSTOOD];
const OWN: readonly Exchange['kind'][] = ['auth', 'pbsz', 'prot', 'silent'];
/** Of an AUTH the negotiation has the time. */
const WATCHED: readonly Exchange['kind'][] = ['pbsz', 'prot', 'silent', 'setup'];

/** The outstanding exchanges of one control connection, oldest first. */
export class Pairing {
  readonly #queue: Exchange[] = [];
  #answering: Exchange | undefined;
  #transferBegun = false;

  /** A command was sent. */
  expect(exchange: Exchange): void {
    if (exchange.kind === 'transfer') this.#transferBegun = false;
    this.#queue.push(exchange);
  }

  /**
   * The exchange that a reply with this code belongs to; undefined for an unsolicited one. Called for the first line of
   * a reply; `answered` for its last. Rules: 1. an ABOR at the front that can't have this code was answered together with its
   * transfer, and is dropped. 2. A preliminary reply belongs to the oldest. 3. While a transfer is the oldest, a
   * code that only an out-of-band command can get belongs to that command. 4. Else the oldest.
   */
  match(code: number): Exchange | undefined {
    if (this.#queue[0]?.kind === 'abort' && this.#queue.length > 1 && !ABORT_ANSWERS.includes(code)) {
      this.#queue.shift();
      return this.match(code);
    }
    const head = this.#queue[0];
    if (replyClass(code) === 1) {
      if (head?.kind === 'transfer') this.#transferBegun = true;
      return head;
    }
    const at = head?.kind === 'transfer' ? this.#outOfBandFor(code) : 0;
    this.#answering = this.#queue.splice(Math.max(at, 0), 1)[0];
    return this.#answering;
  }

  /** The reply that `match` was asked about has ended. */
  answered(): void {
    this.#answering = undefined;
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

  /** Nothing is outstanding. */
  get idle(): boolean {
    return this.size === 0;
  }

  /** Nothing is outstanding but an ABOR that may have been answered together with its transfer. */
  get inDoubt(): boolean {
    return (
      this.size > 0 && this.#answering === undefined && this.#queue.every(({ kind }) => kind === 'abort')
    );
  }

  /** Only commands are outstanding behind which any simple command may be sent. */
  get pipelinable(): boolean {
    return this.#outstanding().every(
      ({ kind }) => kind === 'relay' || kind === 'pbsz' || kind === 'prot' || kind === 'silent',
    );
  }

  /** A transfer command is outstanding. */
  get transferring(): boolean {
    return this.#outstanding().some(({ kind }) => kind === 'transfer');
  }

  /** The command of ours that the server has to answer next, or is answering. An ABOR before it may never get an answer. */
  get due(): OwnExchange | undefined {
    const next = this.#outstanding().find(({ kind }) => kind !== 'abort');
    return next !== undefined && isWatched(next) ? next : undefined;
  }

  /** The client waits for a reply. */
  get awaited(): boolean {
    return this.#outstanding().some(({ kind }) => !OWN.includes(kind));
  }

  get size(): number {
    return this.#queue.length + (this.#answering === undefined ? 0 : 1);
  }

  #outstanding(): readonly Exchange[] {
    return this.#answering === undefined ? this.#queue : [this.#answering, ...this.#queue];
  }

  /** Forgets everything: the connection is gone or starts anew. */
  clear(): void {
    this.#queue.length = 0;
    this.#answering = undefined;
  }
}

function isWatched(exchange: Exchange): exchange is OwnExchange {
  return WATCHED.includes(exchange.kind);
}
