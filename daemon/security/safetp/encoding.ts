// The encodings of X-SafeTP1: u32, bytes, mpint and str. Builders take what is ours; the reader takes what a peer sent and
// fails with one typed error (malformed.ts), never anything else.
import { malformed } from './malformed.js';
import { bytesOf, numberOf } from './numbers.js';

/** Four bytes, big-endian. Throws a RangeError for a number that is no u32. */
export function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
}

/** A length and that many bytes. */
export function bytesField(value: Uint8Array): Buffer {
  return Buffer.concat([u32(value.length), value]);
}

/** A number: the bytes field of its shortest big-endian form. */
export function mpint(value: bigint): Buffer {
  return bytesField(bytesOf(value));
}

/** Text: the bytes field of its UTF-8. */
export function str(value: string): Buffer {
  return bytesField(Buffer.from(value, 'utf8'));
}

/** Reads the fields of one message in order. Every method throws a Fault of code `protocol`; `end` must be the last call. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(): number {
    if (this.#bytes.length - this.#at < 4) throw malformed('a message that ends too early');
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** At most `limit` bytes; a view into the message. */
  bytes(limit: number): Buffer {
    const length = this.u32();
    if (length > limit) throw malformed('a field that is too long');
    if (length > this.#bytes.length - this.#at) throw malformed('a field that ends behind its message');
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  /** Exactly `length` bytes. */
  fixed(length: number): Buffer {
    const value = this.bytes(length);
    if (value.length !== length) throw malformed('a field of the wrong length');
    return value;
  }

  /** A number of at most `limit` bytes in its shortest form. */
  mpint(limit: number): bigint {
    const value = this.bytes(limit);
    if (value[0] === 0) throw malformed('a number with a leading zero byte');
    return numberOf(value);
  }

  /** Text of at most `limit` bytes of valid UTF-8. */
  str(limit: number): string {
    const value = this.bytes(limit);
    const text = value.toString('utf8');
    // Damaged UTF-8 comes back longer or different: every bad byte became U+FFFD.
    if (!Buffer.from(text, 'utf8').equals(value)) throw malformed('text that is not UTF-8');
    return text;
  }

  /** The message must end here. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed('bytes behind the end of a message');
  }
}

/** `read` over a whole message, trailing bytes refused. */
export function readFields<T>(bytes: Uint8Array, read: (fields: FieldReader) => T): T {
  const fields = new FieldReader(bytes);
  const value = read(fields);
  fields.end();
  return value;
}
