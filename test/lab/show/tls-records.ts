// Where the records of a TLS stream end, for somebody who can see them but not read them.

const HEADER = 5;
const APPLICATION_DATA = 23;
const ALERT = 21;
/** An alert of TLS 1.3 in its disguise: two bytes, the inner type and the tag. */
const DISGUISED_ALERT = 2 + 1 + 16;

/** Where to cut: after so many bytes, after so many records with data, or right in front of the closing alert. */
export type Place =
  | { readonly kind: 'bytes'; readonly count: number }
  | { readonly kind: 'records'; readonly count: number }
  | { readonly kind: 'closing' };

/** Lets a stream pass up to the place. */
export class Cutter {
  readonly #place: Place;
  #pending = Buffer.alloc(0);
  #passed = 0;
  #records = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  /** What may pass; `cut` when the rest may not. */
  push(bytes: Buffer): { readonly pass: Buffer; readonly cut: boolean } {
    if (this.#place.kind === 'bytes') return this.#pushBytes(bytes, this.#place.count);
    this.#pending = Buffer.concat([this.#pending, bytes]);
    let at = 0;
    let cut = false;
    while (!cut && this.#pending.length - at >= HEADER) {
      const length = this.#pending.readUInt16BE(at + 3);
      if (this.#isClosing(this.#pending[at] ?? 0, length)) {
        cut = true;
      } else if (this.#pending.length - at >= HEADER + length) {
        if (this.#pending[at] === APPLICATION_DATA) this.#records += 1;
        at += HEADER + length;
        cut = this.#place.kind === 'records' && this.#records >= this.#place.count;
      } else {
        break;
      }
    }
    const pass = this.#pending.subarray(0, at);
    this.#pending = Buffer.from(this.#pending.subarray(at));
    return { pass, cut };
  }

  #pushBytes(bytes: Buffer, count: number): { readonly pass: Buffer; readonly cut: boolean } {
    const pass = bytes.subarray(0, count - this.#passed);
    this.#passed += pass.length;
    return { pass, cut: this.#passed >= count };
  }

  #isClosing(type: number, length: number): boolean {
    if (this.#place.kind !== 'closing') return false;
    return type === ALERT || (type === APPLICATION_DATA && length === DISGUISED_ALERT);
  }
}
