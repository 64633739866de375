// The buffers that direct transfers carry bytes in, one for each that runs.
import { NativeBuffer } from '../../sys/native-buffer.js';

/** Fits the second-level cache; its pages cost memory only once filled, so a small file costs one. */
const BUFFER_BYTES = 256 * 1024;
/** Kept for the next transfers of this thread. */
const SPARE_MAX = 16;

const spare: NativeBuffer[] = [];

export function borrowBuffer(): NativeBuffer {
  return spare.pop() ?? new NativeBuffer(BUFFER_BYTES);
}

/** The borrower refers to it no longer. */
export function returnBuffer(buffer: NativeBuffer): void {
  if (spare.length < SPARE_MAX) spare.push(buffer);
}
