// How V8 collects the buffers of bytes on their way. Set once for the whole process, before its worker threads start.
import { setFlagsFromString } from 'node:v8';

/** V8 of Node 24; a Node that does not know a flag says so on standard error. */
const COUNTS_BUFFERS_APART = 13;

/**
 * Buffers that a young-generation collection finds dead are freed at once and not by a thread some time later. Until it has
 * done so they count as memory in use, and V8 answers with a full collection of the heap for every 30 MB that are relayed: a third
 * of the CPU time of a transfer. From Node 24 on it does that all the same, unless buffers count together with the rest of the
 * heap and marking waits until that is full; a full collection, rare then, stops its thread once instead of many times a little.
 */
export function freeBuffersPromptly(): void {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  if (Number.parseInt(process.versions.v8, 10) < COUNTS_BUFFERS_APART) return;
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString('--no-incremental-marking');
}
