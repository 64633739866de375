// A client of X-SafeTP1 over a real socket, driven line by line, whose data connections the test holds in its own hands.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { LineReader } from '../../../daemon/ftp/line-reader.js';
import { SafetpClient } from '../../../daemon/security/safetp/client.js';
import type { DataLevel } from '../../../daemon/security/safetp/header.js';
import { systemRandom } from '../../../daemon/security/safetp/native/random.js';
import type { SafetpSession } from '../../../daemon/security/safetp/safetp-session.js';
import { isDigestReply, Transcript } from '../../../daemon/security/safetp/transcript.js';
import { address } from '../security/safetp/fixture.js';

export class SafetpCaller {
  readonly socket: net.Socket;
  readonly #reader = new LineReader(65_536);
  readonly #lines: Buffer[] = [];
  readonly #transcript = new Transcript();
  #wake: () => void = () => undefined;
  #session: SafetpSession | undefined;
  /** The number of the next command. */
  #number = 0;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      this.#reader.push(bytes);
      for (let read = this.#reader.read(); read.kind === 'line'; read = this.#reader.read())
        this.#lines.push(read.raw);
      this.#wake();
    });
    socket.on('close', () => {
      this.#wake();
    });
  }

  /** Connected and greeted. */
  static async connect(port: number): Promise<SafetpCaller> {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const caller = new SafetpCaller(socket);
    await caller.#line();
    return caller;
  }

  /** Secured, proven and logged in, with data at this level. */
  static async ready(port: number, level: 'C' | DataLevel = 'P', bufferSize = 32_768): Promise<SafetpCaller> {
    const caller = await SafetpCaller.connect(port);
    await caller.secure();
    for (const line of [`PBSZ ${bufferSize}`, `PROT ${level}`, 'USER bo', 'PASS x'])
      assert.match(await caller.ask(line), /^[23]/, line);
    return caller;
  }

  get session(): SafetpSession {
    return this.#session ?? assert.fail('not secured');
  }

  async secure(): Promise<void> {
    const transcript = this.#transcript;
    const server = address('127.0.0.1');
    const client = new SafetpClient({ server, groupBits: 2048, random: systemRandom, transcript });
    let step = client.start();
    for (;;) {
      if (step.kind === 'judge') step = client.onTrusted();
      if (step.kind === 'secured') break;
      assert.ok(step.kind === 'send', JSON.stringify(step));
      const wire = Buffer.from(`${step.line}\r\n`);
      transcript.fromClient(wire);
      this.socket.write(wire);
      const raw = await this.#line();
      transcript.fromServer(raw);
      const text = raw.toString('latin1').trimEnd();
      step = client.onReply({ code: Number(text.slice(0, 3)), lines: [text] });
    }
    this.#session = step.session;
    assert.ok(isDigestReply(await this.ask('DIGT'), step.session.digest));
  }

  /** Sends a command; its number, which names the transfer that it may ask for. */
  say(line: string): number {
    this.socket.write(this.session.sealer.seal(Buffer.from(line, 'latin1')).wire);
    this.#number += 1;
    return this.#number - 1;
  }

  /** One line of a reply, opened. */
  async reply(): Promise<string> {
    const raw = await this.#line();
    const opened = this.session.opener.open(raw.subarray(0, -2));
    return opened.kind === 'line' ? opened.line.toString('latin1') : `in clear: ${raw.toString('latin1')}`;
  }

  async ask(line: string): Promise<string> {
    this.say(line);
    return this.reply();
  }

  /** A data connection to the port that EPSV named. */
  async passive(): Promise<net.Socket> {
    const port = await this.passivePort();
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  async passivePort(): Promise<number> {
    return Number(/\|\|\|([0-9]+)\|/.exec(await this.ask('EPSV'))?.[1]);
  }

  async #line(): Promise<Buffer> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.socket.destroyed || this.socket.readableEnded) throw new Error('the connection has ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
