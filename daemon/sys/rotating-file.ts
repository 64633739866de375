// A log file of bounded size: when it is full it becomes .1, the older ones move up, the oldest goes.
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface RotationRule {
  readonly maxBytes: number;
  /** How many old files are kept beside the current one. */
  readonly keep: number;
}

/** A file that can't be moved away, because another program holds it, grows to so many times its bound, and no further. */
const MOST_TIMES = 2;

/**
 * Writes whole lines, synchronously: the last words of a process that dies are in the file. Never throws after it was
 * opened; a disk that is full loses lines, not the daemon.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #rule: RotationRule;
  #fd: number;
  #size: number;

  /** Opens for appending (mode 0600), making the folder if need be. Throws the system's error. */
  constructor(path: string, rule: RotationRule) {
    this.#path = path;
    this.#rule = rule;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#fd = openSync(path, 'a', 0o600);
    this.#size = fstatSync(this.#fd).size;
  }

  write(line: string): void {
    try {
      const { maxBytes } = this.#rule;
      const bytes = Buffer.byteLength(line);
      if (this.#size > 0 && this.#size + bytes > maxBytes) this.#rotate();
      if (this.#size > 0 && this.#size + bytes > MOST_TIMES * maxBytes) return;
      this.#size += writeSync(this.#fd, line);
    } catch {
      // A log that can't be written must not end the sessions that it would tell about.
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rotate(): void {
    rmSync(`${this.#path}.${this.#rule.keep}`, { force: true });
    for (let n = this.#rule.keep - 1; n >= 0; n--) {
      const from = n === 0 ? this.#path : `${this.#path}.${n}`;
      try {
        renameSync(from, `${this.#path}.${n + 1}`);
      } catch {
        // There are not that many old files yet.
      }
    }
    const next = openSync(this.#path, 'a', 0o600);
    closeSync(this.#fd);
    this.#fd = next;
    this.#size = fstatSync(next).size;
  }
}
