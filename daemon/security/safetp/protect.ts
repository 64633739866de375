// protect and unprotect: what stands inside ENC, 632 and the blocks of PROT P.
// iv | 3DES-CBC( header | body | pad | HMAC-SHA1(mac key, header | body | pad) )
import { malformed } from './malformed.js';
import { equalBytes, hmacSha1 } from './native/digest.js';
import { DES_BLOCK, decryptCbc, encryptCbc } from './native/triple-des.js';
import type { Random } from './random.js';

/** Bytes of an HMAC-SHA1. */
export const MAC_BYTES = 20;

/** The keys of one direction. */
export interface DirectionKeys {
  /** 24 bytes, three DES keys. */
  readonly enc: Buffer;
  /** 20 bytes. */
  readonly mac: Buffer;
}

/** To what the encrypted part is padded: `data` 8 bytes; `control` 64, so that the length of a password does not show. */
export type Grain = 'data' | 'control';

const GRAINS: Readonly<Record<Grain, { readonly multiple: number; readonly least: number }>> = {
  data: { multiple: 8, least: 32 },
  control: { multiple: 64, least: 64 },
};

/** The header has 8 bytes (control) or 12 (data). */
export function protect(
  keys: DirectionKeys,
  grain: Grain,
  header: Uint8Array,
  body: Uint8Array,
  random: Random,
): Buffer {
  const { multiple } = GRAINS[grain];
  const filled = (header.length + body.length + MAC_BYTES) % multiple;
  const padding = Buffer.alloc(multiple - filled, multiple - filled);
  const mac = hmacSha1(keys.mac, header, body, padding);
  const iv = random(DES_BLOCK);
  return Buffer.concat([iv, encryptCbc(keys.enc, iv, Buffer.concat([header, body, padding, mac]))]);
}

/**
 * The body of a block whose whole header is the expected one. Throws the same Fault of code `protocol` for every cause: length,
 * HMAC, padding, header.
 */
export function unprotect(keys: DirectionKeys, grain: Grain, header: Uint8Array, block: Uint8Array): Buffer {
  const { multiple, least } = GRAINS[grain];
  const length = block.length - DES_BLOCK;
  if (length < least || length % multiple !== 0) throw notAuthentic();
  const plain = decryptCbc(keys.enc, block.subarray(0, DES_BLOCK), block.subarray(DES_BLOCK));
  const covered = plain.subarray(0, -MAC_BYTES);
  // The HMAC first: padding that is looked at before it would tell an attacker about the plain text.
  if (!equalBytes(hmacSha1(keys.mac, covered), plain.subarray(-MAC_BYTES))) throw notAuthentic();
  const padding = covered.at(-1) ?? 0;
  const end = covered.length - padding;
  const padded = padding >= 1 && padding <= multiple && end >= header.length;
  if (!padded || !covered.subarray(end).every((byte) => byte === padding)) throw notAuthentic();
  if (!equalBytes(covered.subarray(0, header.length), header)) throw notAuthentic();
  return covered.subarray(header.length, end);
}

function notAuthentic(): Error {
  return malformed('something that is not authentic');
}
