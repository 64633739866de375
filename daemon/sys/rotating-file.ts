// A log file of bounded size: when it is full it becomes .1, the older ones move up, the oldest goes.
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { diskReason } from './disk-reason.js';

export interface RotationRule {
  readonly maxBytes: number;
  /** How many old files are kept beside the current one. */
  readonly keep: number;
}

/** A file that can't be moved away, because another program holds it, grows to so many times its bound, and no further. */
const MOST_TIMES = 2;

/** What became of lines that could not be written. */
export type FileTrouble =
  { readonly kind: 'losing'; readonly reason: string } | { readonly kind: 'over'; readonly lost: number };

/**
 * Writes whole lines, synchronously: the last words of a process that dies are in the file. Never throws; a disk that is full, or a
 * file that can't be opened, loses lines and not the daemon, and each line tries again.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #rule: RotationRule;
  readonly #onTrouble: (trouble: FileTrouble) => void;
  #fd: number | undefined;
  #size = 0;
  #lost = 0;
  #isLosing = false;
  #isClosed = false;
  /** The file ends in the middle of a line. */
  #isTorn = false;

  /** Opens for appending (mode 0600), making the folder if need be. `onTrouble` is called when lines begin to be lost and after. */
  constructor(path: string, rule: RotationRule, onTrouble: (trouble: FileTrouble) => void = () => undefined) {
    this.#path = path;
    this.#rule = rule;
    this.#onTrouble = onTrouble;
    try {
      this.#open();
    } catch (error) {
      this.#lose(error, 0);
    }
  }

  /** After `close` nothing. */
  write(line: string): void {
    if (this.#isClosed) return;
    try {
      this.#writeWhole(line);
    } catch (error) {
      this.#lose(error, 1);
      return;
    }
    if (!this.#isLosing) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.#isLosing = false;
    this.#onTrouble({ kind: 'over', lost });
  }

  close(): void {
    this.#isClosed = true;
    this.#shut();
  }

  #shut(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #writeWhole(line: string): void {
    const { maxBytes } = this.#rule;
    const length = Buffer.byteLength(line);
    if (this.#size > 0 && this.#size + length > maxBytes) this.#rotate();
    if (this.#size > 0 && this.#size + length > MOST_TIMES * maxBytes) throw withCode('EFBIG');
    const fd = this.#fd ?? this.#open();
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line);
    const written = writeSync(fd, bytes);
    this.#size += written;
    this.#isTorn = written > 0 ? written < bytes.length : this.#isTorn;
    if (written < bytes.length) throw withCode('ENOSPC');
  }

  #lose(error: unknown, lines: number): void {
    this.#lost += lines;
    // The next line opens it anew: what failed may be another file by then.
    this.#shut();
    if (this.#isLosing) return;
    this.#isLosing = true;
    this.#onTrouble({ kind: 'losing', reason: diskReason(error) });
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const fd = openSync(this.#path, 'a', 0o600);
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
    return fd;
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
    this.#shut();
    this.#open();
    this.#isTorn = false;
  }
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}
