// Every key of a session, out of the master secret and the hash of the signed exchange: whoever passes the secret on to another
// session gets other keys there.
import { bytesField, str, u32 } from './encoding.js';
import { BLOCKS_PER_KEY } from './limits.js';
import { hmacSha1 } from './native/digest.js';
import type { DirectionKeys } from './protect.js';

/** `c2s` from the client to the server, `s2c` the other way. */
export type Direction = 'c2s' | 's2c';

const ENC_BYTES = 24;
const MAC_BYTES = 20;
const NOTHING = Buffer.alloc(0);

/** Made once for a session; holds its master secret. */
export class SessionKeys {
  readonly #master: Buffer;
  readonly #exchangeHash: Buffer;

  /** `exchangeHash` is SHA-1 of the bytes that the signature of the 335 covers. */
  constructor(master: Uint8Array, exchangeHash: Uint8Array) {
    this.#master = Buffer.from(master);
    this.#exchangeHash = Buffer.from(exchangeHash);
  }

  control(direction: Direction): DirectionKeys {
    return this.#keys(`${direction} control`, NOTHING);
  }

  /** The keys of a data block; they change every 64 blocks. */
  data(direction: Direction, fileSequence: number, blockSequence: number): DirectionKeys {
    const epoch = Math.floor(blockSequence / BLOCKS_PER_KEY);
    return this.#keys(`${direction} data`, Buffer.concat([u32(fileSequence), u32(epoch)]));
  }

  #keys(label: string, extra: Buffer): DirectionKeys {
    return {
      enc: this.#derive(`${label} enc`, extra, ENC_BYTES),
      mac: this.#derive(`${label} mac`, extra, MAC_BYTES),
    };
  }

  /** K(label, extra, n) */
  #derive(label: string, extra: Buffer, length: number): Buffer {
    const prefix = Buffer.concat([str(label), this.#exchangeHash, bytesField(extra)]);
    const parts: Buffer[] = [];
    for (let i = 1; parts.length * MAC_BYTES < length; i += 1)
      parts.push(hmacSha1(this.#master, prefix, u32(i)));
    return Buffer.concat(parts).subarray(0, length);
  }
}
