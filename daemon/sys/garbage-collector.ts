// How V8 collects the buffers of bytes on their way. Set once for the whole process, before its worker threads start.
import { setFlagsFromString } from 'node:v8';

/**
 * Buffers that a young-generation collection finds dead are freed at once and not by a thread some time later. Until it has
 * done so they count as memory in use, and V8 answers with a full collection of the heap for every 30 MB that are relayed: a third
 * of the CPU time of a transfer. A Node that does not know the flag says so on standard error and goes on.
 */
export function freeBuffersPromptly(): void {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
}
