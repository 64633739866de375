// A small FTP client for measurements: X-SafeTP1, TLS or neither, one reply at a time. It trusts every key, and gives up at the first
// thing that is not as it should be.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { parseIpAddress } from '../../../shared/endpoint.js';
import { LineReader } from '../../../daemon/ftp/line-reader.js';
import { SafetpClient } from '../../../daemon/security/safetp/client.js';
import { WIRE_LINE_MAX } from '../../../daemon/security/safetp/limits.js';
import { systemRandom } from '../../../daemon/security/safetp/native/random.js';
import type { SafetpSession } from '../../../daemon/security/safetp/safetp-session.js';
import { DIGEST_REQUEST, isDigestReply, Transcript } from '../../../daemon/security/safetp/transcript.js';
import type { Order } from './order.js';

/** What protects the session. */
type Protection =
  | { readonly kind: 'none' }
  | { readonly kind: 'tls' }
  | { readonly kind: 'safetp'; readonly session: SafetpSession };

/** A command that was sent; for X-SafeTP1 its number names the transfer. */
interface Sent {
  readonly sequence: number;
}

export class MeasuringClient {
  readonly #order: Order;
  readonly #reader = new LineReader(WIRE_LINE_MAX);
  readonly #transcript = new Transcript();
  readonly #lines: Buffer[] = [];
  #socket: net.Socket;
  #protection: Protection = { kind: 'none' };
  #wake: () => void = () => undefined;
  /** The newest one: TLS 1.3 brings them after the handshake. */
  #tlsSession: Buffer | undefined;

  private constructor(order: Order, socket: net.Socket) {
    this.#order = order;
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Connected, secured, logged in, with data protected as ordered. */
  static async open(order: Order): Promise<MeasuringClient> {
    const socket = net.connect({ port: 21, host: order.address, noDelay: true });
    await once(socket, 'connect');
    const client = new MeasuringClient(order, socket);
    await client.#reply();
    if (order.mechanism === 'TLS') await client.#secureWithTls();
    if (order.mechanism === 'X-SafeTP1') await client.#secureWithSafetp();
    await client.ask(`USER ${order.user}`);
    await client.ask(`PASS ${order.password}`);
    if (order.mechanism !== 'none') await client.#protectData();
    return client;
  }

  get safetp(): SafetpSession | undefined {
    return this.#protection.kind === 'safetp' ? this.#protection.session : undefined;
  }

  /** The final reply. Throws for 4xx and 5xx. */
  async ask(line: string): Promise<string> {
    this.send(line);
    return this.#reply();
  }

  send(line: string): Sent {
    const bytes = Buffer.from(line, 'latin1');
    if (this.#protection.kind !== 'safetp') {
      const wire = Buffer.concat([bytes, Buffer.from('\r\n')]);
      this.#transcript.fromClient(wire);
      this.#socket.write(wire);
      return { sequence: 0 };
    }
    const { wire, sequence } = this.#protection.session.sealer.seal(bytes);
    this.#socket.write(wire);
    return { sequence };
  }

  /** The next reply, a preliminary one as well. Throws for 4xx and 5xx. */
  async #reply(): Promise<string> {
    const first = await this.#line();
    let last = first;
    // RFC 959: a reply of several lines ends with its code and a blank.
    if (first[3] === '-') while (!last.startsWith(`${first.slice(0, 3)} `)) last = await this.#line();
    if (!/^[123]/.test(last)) throw new Error(`the server said ${last}`);
    return last;
  }

  nextReply(): Promise<string> {
    return this.#reply();
  }

  /** A data connection to the port that EPSV names, TLS's handshake not yet begun. */
  async dial(): Promise<net.Socket> {
    const port = Number(/\|\|\|([0-9]+)\|/.exec(await this.ask('EPSV'))?.[1]);
    const socket = net.connect({ port, host: this.#order.address, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  }

  /** TLS on a data connection, with the session of the control connection. */
  async wrap(socket: net.Socket): Promise<tls.TLSSocket> {
    const session = this.#tlsSession === undefined ? {} : { session: this.#tlsSession };
    const stream = tls.connect({ socket, rejectUnauthorized: false, ...session });
    await once(stream, 'secureConnect');
    return stream;
  }

  async close(): Promise<void> {
    await this.ask('QUIT');
    this.#socket.destroy();
  }

  #listen(socket: net.Socket): void {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      this.#reader.push(bytes);
      for (let read = this.#reader.read(); read.kind === 'line'; read = this.#reader.read())
        this.#lines.push(read.raw);
      this.#wake();
    });
    socket.on('close', () => {
      this.#wake();
    });
  }

  async #raw(): Promise<Buffer> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#socket.destroyed) throw new Error('the control connection has ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** One line of a reply, opened, without its end. */
  async #line(): Promise<string> {
    const raw = await this.#raw();
    if (this.#protection.kind !== 'safetp') {
      this.#transcript.fromServer(raw);
      return raw.toString('latin1').trimEnd();
    }
    const opened = this.#protection.session.opener.open(raw.subarray(0, -2));
    if (opened.kind !== 'line') throw new Error('a reply that is not protected');
    return opened.line.toString('latin1');
  }

  async #secureWithTls(): Promise<void> {
    await this.ask('AUTH TLS');
    this.#socket.removeAllListeners('data');
    const stream = tls.connect({ socket: this.#socket, rejectUnauthorized: false });
    stream.on('session', (session) => {
      this.#tlsSession = session;
    });
    await once(stream, 'secureConnect');
    this.#socket = stream;
    this.#protection = { kind: 'tls' };
    this.#listen(stream);
  }

  async #secureWithSafetp(): Promise<void> {
    const server = parseIpAddress(this.#order.address);
    if (server === undefined) throw new Error(`${this.#order.address} is no address`);
    const transcript = this.#transcript;
    const client = new SafetpClient({ server, groupBits: 2048, random: systemRandom, transcript });
    let step = client.start();
    while (step.kind === 'send' || step.kind === 'judge') {
      if (step.kind === 'judge') step = client.onTrusted();
      if (step.kind !== 'send') continue;
      const reply = await this.ask(step.line);
      step = client.onReply({ code: Number(reply.slice(0, 3)), lines: [reply] });
    }
    if (step.kind !== 'secured') throw new Error(`not secured: ${JSON.stringify(step)}`);
    this.#protection = { kind: 'safetp', session: step.session };
    if (!isDigestReply(await this.ask(DIGEST_REQUEST), step.session.digest))
      throw new Error('the server saw another conversation');
  }

  async #protectData(): Promise<void> {
    const { level, mechanism, bufferSize } = this.#order;
    await this.ask(mechanism === 'TLS' ? 'PBSZ 0' : `PBSZ ${bufferSize}`);
    await this.ask(`PROT ${level}`);
  }
}
