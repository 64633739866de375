// A conversation with an interactive program through its standard input and output.
import { start, waitFor, type Place, type Running } from './command.js';

/** A program that is told one thing at a time. */
export class Dialogue {
  readonly running: Running;
  #asked = 0;

  constructor(place: Place, argv: readonly string[]) {
    // Without a terminal the C library would keep the program's answers back.
    this.running = start(place, ['stdbuf', '-oL', '-eL', ...argv]);
  }

  /** Everything said so far, both outputs. */
  transcript(): string {
    return this.running.stdout() + this.running.stderr();
  }

  /** Types lines without waiting. */
  type(...lines: readonly string[]): void {
    this.running.child.stdin?.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** Types the lines and waits until the program has done them all; it must know `!command`. Returns what it said. */
  async ask(lines: readonly string[], timeoutMs = 30_000): Promise<string> {
    this.#asked += 1;
    const mark = `@done-${this.#asked}@`;
    const from = this.running.stdout().length;
    this.type(...lines, `!echo ${mark}`);
    await this.#until(lines.join('; '), () => this.running.stdout().includes(mark, from), timeoutMs);
    return this.running.stdout().slice(from).replace(`${mark}\n`, '');
  }

  /** Waits for something to happen while the program works. */
  async while(condition: () => boolean, timeoutMs = 30_000): Promise<void> {
    await this.#until('the program', condition, timeoutMs);
  }

  async end(line: string): Promise<void> {
    this.type(line);
    this.running.child.stdin?.end();
    const timer = setTimeout(() => this.running.child.kill('SIGKILL'), 5000);
    await this.running.ended;
    clearTimeout(timer);
  }

  async #until(what: string, condition: () => boolean, timeoutMs: number): Promise<void> {
    let ended = false;
    void this.running.ended.then(() => (ended = true));
    const failed = () => `${what}; it ended: ${String(ended)}; it said:\n${this.transcript().slice(-3000)}`;
    await waitFor(failed, () => condition() || ended, timeoutMs);
    if (!condition()) throw new Error(failed());
  }
}
