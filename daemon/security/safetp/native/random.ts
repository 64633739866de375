// The operating system's randomness, watched for the failure that would break every key: a source that repeats itself.
import { randomBytes } from 'node:crypto';
import { Fault } from '../../../../shared/fault.js';
import type { Random } from '../random.js';

/** Draws of fewer bytes may repeat by chance. */
const WATCHED_BYTES = 16;

/** The system's source. Throws a Fault of code `internal` if two draws in a row are equal. */
export const systemRandom: Random = watchedRandom(randomBytes);

/** `source`, which may not give the same bytes twice in a row where chance can't explain it. */
export function watchedRandom(source: Random): Random {
  const last = new Map<number, Buffer>();
  return (size) => {
    const bytes = source(size);
    if (size < WATCHED_BYTES) return bytes;
    if (last.get(size)?.equals(bytes) === true) {
      throw new Fault(
        'internal',
        'The system’s random number source gave the same bytes twice. No key made from it would be secret; ftpseal stops here.',
      );
    }
    if (last.size >= 64) last.clear();
    last.set(size, Buffer.from(bytes));
    return bytes;
  };
}
