// A person's own sockets on a lab host, in a Python program of a few lines: what it reports of peers, replies and the end of a
// connection comes from the kernel and not from anything of ftpseal.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { start, type Place, type Running } from '../harness/command.js';
import { repository } from '../harness/server.js';

const program = path.join(repository, 'test/lab/clients/talker.py');

const endSchema = z.enum(['eof', 'reset']);
const answerSchema = z.object({ id: z.number(), error: z.string().optional() });
const addressSchema = z.tuple([z.string(), z.number()]);
const connectionSchema = z.object({ connection: z.number(), local: addressSchema, peer: addressSchema });
const listenerSchema = z.object({ listener: z.number(), port: z.number() });
const lineSchema = z.object({ text: z.string(), end: endSchema.optional() });
const drainSchema = z.object({ size: z.number(), sha256: z.string(), head: z.string(), end: endSchema });

export type Connected = z.infer<typeof connectionSchema>;
export type Listening = z.infer<typeof listenerSchema>;
export type Line = z.infer<typeof lineSchema>;
/** All that came until the stream ended; `head` is the start of it. */
export type Drained = z.infer<typeof drainSchema>;

/** One process with as many connections as wanted. Every method rejects with what the kernel said. */
export class Talker {
  readonly #running: Running;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #count = 0;
  #pending = '';

  constructor(place: Place) {
    this.#running = start(place, ['/usr/bin/python3', '-c', readFileSync(program, 'utf8')]);
    this.#running.child.stdout?.on('data', (text: string) => {
      this.#onOutput(text);
    });
    void this.#running.ended.then(() => {
      for (const [id, resolve] of this.#waiting) resolve({ id, error: `ended: ${this.#running.stderr()}` });
    });
  }

  async connect(host: string, port: number): Promise<Connected> {
    return connectionSchema.parse(await this.#ask({ do: 'connect', host, port }));
  }

  async listen(host: string, port?: number): Promise<Listening> {
    return listenerSchema.parse(
      await this.#ask({ do: 'listen', host, ...(port === undefined ? {} : { port }) }),
    );
  }

  async accept(listener: number): Promise<Connected> {
    return connectionSchema.parse(await this.#ask({ do: 'accept', listener }));
  }

  /** Stops listening. */
  async deafen(listener: number): Promise<void> {
    await this.#ask({ do: 'deafen', listener });
  }

  async send(connection: number, text: string): Promise<void> {
    await this.#ask({ do: 'send', connection, text });
  }

  /** `end` is how the upload ended: `eof`, or the name of the error. */
  async upload(connection: number, size: number): Promise<string> {
    return z.object({ end: z.string() }).parse(await this.#ask({ do: 'upload', connection, size })).end;
  }

  async line(connection: number, timeout = 20): Promise<Line> {
    return lineSchema.parse(await this.#ask({ do: 'line', connection, timeout }));
  }

  async drain(connection: number): Promise<Drained> {
    return drainSchema.parse(await this.#ask({ do: 'drain', connection }));
  }

  async close(connection: number, how: 'calmly' | 'by reset' = 'calmly'): Promise<void> {
    await this.#ask({ do: 'close', connection, reset: how === 'by reset' });
  }

  stop(): Promise<void> {
    return this.#running.stop();
  }

  async #ask(request: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = (this.#count += 1);
    const answered = new Promise<unknown>((resolve) => this.#waiting.set(id, resolve));
    this.#running.child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    const answer = await answered;
    const { error } = answerSchema.parse(answer);
    if (error !== undefined) throw new Error(`${JSON.stringify(request)}: ${error}`);
    return answer;
  }

  #onOutput(text: string): void {
    const lines = (this.#pending + text).split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) {
      const answer: unknown = JSON.parse(line);
      const { id } = answerSchema.parse(answer);
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    }
  }
}
