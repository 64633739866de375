// A lock on Windows: a file that nobody else can open while it is held; it ends with its holder, however that ends.
import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { steadyNow } from '../steady-clock.js';

/** libuv's UV_FS_O_EXLOCK: opened with no sharing. */
const EXCLUSIVE = 0x1000_0000;

export interface HeldFile {
  release(): void;
}

/** Undefined if somebody else holds it. Throws the system's error if it can't be opened for another reason. */
export function tryHold(file: string): HeldFile | undefined {
  try {
    const fd = openSync(file, constants.O_RDWR | constants.O_CREAT | EXCLUSIVE, 0o600);
    return {
      release: () => {
        closeSync(fd);
      },
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return undefined;
    throw error;
  }
}

/** Waits so many milliseconds for a holder to end; `waiting` is called if there is one. */
export async function hold(
  file: string,
  patienceMs: number,
  waiting: () => void = () => undefined,
): Promise<HeldFile | undefined> {
  const deadline = steadyNow() + patienceMs;
  for (let tries = 0; ; tries++) {
    const held = tryHold(file);
    if (held !== undefined || steadyNow() >= deadline) return held;
    if (tries === 0) waiting();
    await delay(100);
  }
}
