// How much memory a daemon and its children take, looked at all the while.
import { readFileSync } from 'node:fs';
import { proportionalMemory } from '../harness/proc.js';

const EVERY_MS = 250;

export class MemoryWatch {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  readonly #before: number;
  #most: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#before = this.#most = this.#measure();
    this.#timer = setInterval(() => {
      this.#most = Math.max(this.#most, this.#measure());
    }, EVERY_MS);
  }

  /** In bytes. */
  sizes(): { readonly before: number; readonly most: number } {
    return { before: this.#before, most: this.#most };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #measure(): number {
    return [this.#pid, ...childrenOf(this.#pid)].reduce((sum, pid) => sum + sizeOf(pid), 0);
  }
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function sizeOf(pid: number): number {
  try {
    return proportionalMemory(pid);
  } catch {
    // It has just ended.
    return 0;
  }
}
