// What a thread no longer needs goes back to the system: V8 keeps the pages of collected objects for the next ones, malloc those of
// freed blocks. With marking in one go (garbage-collector.ts) nothing in V8 does this by itself, however long nothing happens.
import koffi from 'koffi';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** V8 of Node 24. Older ones know no such collection, and shrink by themselves some seconds after the work. */
const GIVES_PAGES_BACK = 13;

/** Holds the calling thread for 50 to 100 ms. Does nothing where it can't. */
export function returnMemory(): void {
  if (Number.parseInt(process.versions.v8, 10) < GIVES_PAGES_BACK) return;
  collectEverything();
  trimMalloc?.(0);
}

/** V8 has the call for tests, and gives it to contexts that are made while the flag is set. */
function collectEverything(): void {
  setFlagsFromString('--expose-gc');
  try {
    runInNewContext("gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })");
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

/** glibc's alone. It is for all threads' blocks. */
const trimMalloc = ((): ((keep: number) => unknown) | undefined => {
  if (process.platform !== 'linux') return undefined;
  try {
    return koffi.load(null).func('int malloc_trim(size_t keep)');
  } catch {
    return undefined;
  }
})();
