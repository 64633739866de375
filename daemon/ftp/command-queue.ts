// The client's commands, read and held until the session can do something with them.
import { CommandReader, type Command } from './command-reader.js';
import { HELD_COMMANDS_MAX } from './limits.js';
import { judgeLineStart, type LineStart } from './line-start.js';
import { KNOWN_VERBS } from './verbs.js';

/** Bounded as long as nothing is pushed while `wantsMore` is false. */
export class CommandQueue {
  readonly #reader = new CommandReader();
  #held: Command[] = [];
  /** How many of `#held` are done with. Taking each one out of a long array would take a time that grows with its square. */
  #done = 0;
  #bytes = 0;

  /** `too-long`: the client sent a line without end; the commands before it are there all the same. */
  push(bytes: Uint8Array): 'ok' | 'too-long' {
    this.#reader.push(bytes);
    for (;;) {
      const read = this.#reader.read();
      if (read.kind === 'need-more') return 'ok';
      if (read.kind === 'too-long') return 'too-long';
      this.#held.push(read.command);
      this.#bytes += read.command.raw.length;
    }
  }

  /** The oldest held command. */
  get head(): Command | undefined {
    return this.#held[this.#done];
  }

  /** Bytes that came behind the oldest held command. */
  get following(): number {
    return this.#bytes - (this.head?.raw.length ?? 0) + this.#reader.peekRest().length;
  }

  /** The oldest is done with. */
  shift(): void {
    const command = this.head;
    if (command === undefined) return;
    this.#bytes -= command.raw.length;
    this.#done += 1;
    if (this.#done * 2 < this.#held.length) return;
    this.#held = this.#held.slice(this.#done);
    this.#done = 0;
  }

  get wantsMore(): boolean {
    return this.#bytes < HELD_COMMANDS_MAX;
  }

  get #waiting(): readonly Command[] {
    return this.#held.slice(this.#done);
  }

  /** Does what the client has sent look like FTP? */
  get opening(): LineStart {
    const first = this.#waiting.find(({ verb }) => verb !== '')?.line ?? this.#reader.peekRest();
    return judgeLineStart(first, KNOWN_VERBS);
  }

  /** Takes out everything, exactly as the client sent it, unfinished lines included. */
  takeRaw(): Buffer {
    const lines = this.#waiting.map((command) => command.line);
    this.#held = [];
    this.#done = 0;
    this.#bytes = 0;
    return Buffer.concat([...lines, this.#reader.takeRest()]);
  }
}
