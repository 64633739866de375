// Randomness as the codec uses it. The source is a parameter: the system's (native/random.ts), or a fixed one in test vectors.
import { bitLength, numberOf } from './numbers.js';

/** So many fresh random bytes. */
export type Random = (size: number) => Buffer;

/** A number drawn uniformly from 1 to `max`, by rejection. */
export function randomUpTo(max: bigint, random: Random): bigint {
  const bits = bitLength(max);
  const mask = (1n << BigInt(bits)) - 1n;
  for (;;) {
    const candidate = numberOf(random(Math.ceil(bits / 8))) & mask;
    if (candidate >= 1n && candidate <= max) return candidate;
  }
}

/** So many random bytes, none of them zero. */
export function nonZeroBytes(size: number, random: Random): Buffer {
  const found: number[] = [];
  while (found.length < size) {
    for (const byte of random(size)) if (byte !== 0 && found.length < size) found.push(byte);
  }
  return Buffer.from(found);
}
