// A small FTP server over real sockets that speaks X-SafeTP1: one file to fetch, one place to store. Everything that went over its
// sockets is kept, so that a test can look for what must not be there.
import net from 'node:net';
import { LineReader } from '../../daemon/ftp/line-reader.js';
import { WIRE_LINE_MAX } from '../../daemon/security/safetp/limits.js';
import { systemRandom } from '../../daemon/security/safetp/native/random.js';
import type { ServerKey } from '../../daemon/security/safetp/server.js';
import { ServerChannel, type ServerTransfer } from '../../daemon/security/safetp/server-channel.js';
import { parseIpAddress } from '../../shared/endpoint.js';
import { STRICT } from '../daemon/security/safetp/fixture.js';
import { listen, type Listener } from '../daemon/relay/socket-fixture.js';

export interface FtpServerOptions {
  /** The key of each connection, counted from 0. */
  readonly keyOf: (connection: number) => ServerKey;
  readonly file: Buffer;
  /** What the data of a download becomes on its way. */
  readonly tamper?: (stream: Buffer) => Buffer;
  /** The answer to AUTH TLS. */
  readonly onAuthTls?: string;
}

export interface FtpServer extends Listener {
  /** All bytes of control and data connections, both directions. */
  readonly seen: () => Buffer;
  readonly stored: () => Buffer | undefined;
  readonly lines: () => readonly string[];
}

/** Listens on the loopback. */
export async function startSafetpServer(options: FtpServerOptions): Promise<FtpServer> {
  const record: Protocol = { seen: [], lines: [], connections: 0, stored: undefined };
  const listener = await listen(
    net.createServer((socket) => {
      new Connection(socket, options, record).start();
    }),
  );
  return {
    ...listener,
    seen: () => Buffer.concat(record.seen),
    stored: () => record.stored,
    lines: () => record.lines,
  };
}

interface Protocol {
  readonly seen: Buffer[];
  readonly lines: string[];
  connections: number;
  stored: Buffer | undefined;
}

type Blocks = Extract<ServerTransfer, { readonly kind: 'blocks' }>;

class Connection {
  readonly #socket: net.Socket;
  readonly #options: FtpServerOptions;
  readonly #record: Protocol;
  readonly #channel: ServerChannel;
  readonly #reader = new LineReader(WIRE_LINE_MAX);
  #data: Promise<net.Socket> | undefined;

  constructor(socket: net.Socket, options: FtpServerOptions, record: Protocol) {
    this.#socket = socket;
    this.#options = options;
    this.#record = record;
    this.#channel = new ServerChannel({
      key: options.keyOf(record.connections++),
      address: parseIpAddress(socket.localAddress) ?? '*',
      groups: STRICT,
      mechanisms: options.onAuthTls === undefined ? ['X-SafeTP1'] : ['TLS', 'X-SafeTP1'],
      random: systemRandom,
      requirePrivate: true,
    });
  }

  start(): void {
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (bytes) => {
      this.#record.seen.push(bytes);
      this.#reader.push(bytes);
      for (let read = this.#reader.read(); read.kind === 'line'; read = this.#reader.read())
        this.#onWire(read.raw);
    });
    this.#reply('220 ready');
  }

  #write(bytes: Buffer): void {
    this.#record.seen.push(bytes);
    this.#socket.write(bytes);
  }

  #reply(text: string): void {
    this.#write(this.#channel.reply(Buffer.from(text, 'latin1')));
  }

  #onWire(raw: Buffer): void {
    const step = this.#channel.receive(raw, this.#reader.pending);
    switch (step.kind) {
      case 'clear':
        this.#record.lines.push(step.line);
        this.#reply(step.line === 'AUTH TLS' ? (this.#options.onAuthTls ?? '502 no') : '502 unknown');
        break;
      case 'request':
        this.#onCommand(step.line.toString('latin1'), step.sequence);
        break;
      case 'send':
        if (!this.#channel.secured) this.#record.lines.push(raw.toString('latin1').trimEnd());
        this.#write(step.bytes);
        break;
      case 'close':
        this.#write(step.bytes);
        this.#socket.end();
        break;
    }
  }

  #onCommand(line: string, sequence: number): void {
    this.#record.lines.push(line);
    const [verb = ''] = line.split(' ');
    if (verb === 'EPSV' || verb === 'PASV') void this.#passive(verb);
    else if (verb === 'RETR' || verb === 'STOR') void this.#transfer(verb, sequence);
    else this.#reply(REPLIES[verb] ?? '502 unknown');
  }

  async #passive(verb: 'EPSV' | 'PASV'): Promise<void> {
    const server = net.createServer({ allowHalfOpen: true });
    const listener = await listen(server);
    this.#data = new Promise((resolve) =>
      server.once('connection', (socket: net.Socket) => {
        resolve(socket);
        server.close();
      }),
    );
    const { port } = listener;
    const octets = `127,0,0,1,${port >> 8},${port & 255}`;
    this.#reply(verb === 'EPSV' ? `229 ok (|||${port}|)` : `227 ok (${octets})`);
  }

  async #transfer(verb: 'RETR' | 'STOR', fileSequence: number): Promise<void> {
    const transfer = this.#channel.transfer(fileSequence);
    if (transfer.kind !== 'blocks' || this.#data === undefined) {
      this.#reply('522 PROT P first');
      return;
    }
    this.#reply('150 go on');
    const socket = await this.#data;
    await (verb === 'RETR' ? this.#send(socket, transfer) : this.#receive(socket, transfer));
  }

  async #send(socket: net.Socket, transfer: Blocks): Promise<void> {
    const writer = transfer.writer();
    const stream = Buffer.concat([...writer.write(this.#options.file), ...writer.end()]);
    const sent = this.#options.tamper?.(stream) ?? stream;
    this.#record.seen.push(sent);
    await new Promise<void>((resolve) => {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        resolve();
      });
      socket.resume().end(sent);
    });
    this.#reply('226 done');
  }

  async #receive(socket: net.Socket, transfer: Blocks): Promise<void> {
    const reader = transfer.reader();
    const got: Buffer[] = [];
    socket.on('data', (bytes) => {
      this.#record.seen.push(bytes);
      got.push(...reader.push(bytes).data);
    });
    await new Promise<void>((resolve) =>
      socket
        .on('error', () => undefined)
        .on('end', () => {
          resolve();
        }),
    );
    socket.end();
    if (reader.ended) this.#record.stored = Buffer.concat(got);
    this.#reply(reader.ended ? '226 done' : '426 cut');
  }
}

const REPLIES: Readonly<Record<string, string>> = {
  USER: '331 password',
  PASS: '230 in',
  TYPE: '200 ok',
  SYST: '215 UNIX',
  QUIT: '221 bye',
};
