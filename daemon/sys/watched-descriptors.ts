// The descriptors that a thread waits for by itself (readiness.ts), written where the thread that may have to end it can read them. A thread that is ended
// in the middle of its work can't let go of them, and one of them that becomes ready then would end the whole process.
import { closeDescriptor, stopReporting } from './libc.js';

/** Connections that one thread reads by itself at a time; Node's streams are for those beyond. */
const CAPACITY = 4096;

/** A table for one thread. 16 KiB. */
export function newDescriptorTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(CAPACITY * Int32Array.BYTES_PER_ELEMENT);
}

/** Where the descriptor of a thread's event loop can be: they are opened early. Only one of them reports of a descriptor. */
const LOOPS = Array.from({ length: 1024 }, (_, index) => index);

/** A descriptor plus one in each place; 0: free. */
let table: Int32Array | undefined;
let free: number[] = [];

/** This thread can be ended by the one that made the table. A thread that nobody ends needs none. */
export function shareDescriptors(shared: SharedArrayBuffer): void {
  table = new Int32Array(shared);
  free = Array.from(table.keys());
}

/** The thread waits for it from now on, until the returned function is called: before the descriptor is closed. Undefined: no place is free. */
export function watchDescriptor(fd: number): (() => void) | undefined {
  const places = table;
  if (places === undefined) return () => undefined;
  const place = free.pop();
  if (place === undefined) return undefined;
  Atomics.store(places, place, fd + 1);
  return () => {
    Atomics.store(places, place, 0);
    free.push(place);
  };
}

/**
 * Right before a thread is ended: its event loop hears nothing of its descriptors any more. Call what is returned when the thread has ended; it closes them.
 * The thread must do nothing meanwhile, as one that hangs. What its event loop had already been told when it stopped can't be taken back: with two connections
 * ready in the same moment the process may still end, and then the supervisor starts another.
 */
export function silenceDescriptors(shared: SharedArrayBuffer): () => void {
  const entries = new Int32Array(shared);
  const descriptors = [...entries].filter((entry) => entry !== 0).map((entry) => entry - 1);
  // Who ends the thread a second time shall not meet those numbers again: they may be somebody else's by then.
  entries.fill(0);
  let loops: readonly number[] = LOOPS;
  for (const fd of descriptors) {
    const loop = loops.find((candidate) => stopReporting(candidate, fd));
    if (loop !== undefined) loops = [loop];
  }
  return () => {
    for (const fd of descriptors) closeDescriptor(fd);
  };
}
