// A small FTP server over real sockets that speaks X-SafeTP1: one file to fetch, one place to store. Everything that went over its
// sockets is kept, so that a test can look for what must not be there.
import net from 'node:net';
import { LineReader } from '../../daemon/ftp/line-reader.js';
import { systemRandom } from '../../daemon/security/safetp/native/random.js';
import type { SafetpSession } from '../../daemon/security/safetp/safetp-session.js';
import { SafetpServer, type ServerKey } from '../../daemon/security/safetp/server.js';
import { ServerCommands } from '../../daemon/security/safetp/server-commands.js';
import { Transcript } from '../../daemon/security/safetp/transcript.js';
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

class Connection {
  readonly #socket: net.Socket;
  readonly #options: FtpServerOptions;
  readonly #record: Protocol;
  readonly #transcript = new Transcript();
  readonly #negotiation: SafetpServer;
  readonly #reader = new LineReader(8192);
  #session: SafetpSession | undefined;
  #commands: ServerCommands | undefined;
  #data: Promise<net.Socket> | undefined;

  constructor(socket: net.Socket, options: FtpServerOptions, record: Protocol) {
    this.#socket = socket;
    this.#options = options;
    this.#record = record;
    this.#negotiation = new SafetpServer({
      key: options.keyOf(record.connections++),
      address: parseIpAddress(socket.localAddress) ?? '*',
      groups: STRICT,
      mechanisms: ['X-SafeTP1'],
      random: systemRandom,
      transcript: this.#transcript,
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
    this.#write(Buffer.from('220 ready\r\n'));
  }

  #write(bytes: Buffer): void {
    this.#record.seen.push(bytes);
    if (this.#session === undefined) this.#transcript.fromServer(bytes);
    this.#socket.write(bytes);
  }

  #reply(text: string): void {
    const wire = this.#session?.sealer.seal(Buffer.from(text, 'latin1')).wire;
    this.#write(wire ?? Buffer.from(`${text}\r\n`, 'latin1'));
  }

  #onWire(raw: Buffer): void {
    const line = raw.subarray(0, -2);
    if (this.#session === undefined) {
      this.#transcript.fromClient(raw);
      this.#onClear(line.toString('latin1'));
      return;
    }
    const opened = this.#session.opener.open(line);
    if (opened.kind !== 'line') throw new Error('not authentic');
    this.#onCommand(opened.line.toString('latin1'), opened.sequence);
  }

  #onClear(line: string): void {
    this.#record.lines.push(line);
    if (line === 'AUTH TLS' && this.#options.onAuthTls !== undefined) {
      this.#reply(this.#options.onAuthTls);
      return;
    }
    const step = this.#negotiation.onLine(line, this.#reader.pending);
    if (step.kind === 'other') this.#reply('502 unknown');
    else if (step.line !== undefined) this.#reply(step.line);
    if (step.kind === 'secured') {
      this.#session = step.secure();
      this.#commands = new ServerCommands({ digest: this.#session.digest, requirePrivate: true });
    } else if (step.kind === 'close') {
      this.#socket.end();
    }
  }

  #onCommand(line: string, sequence: number): void {
    this.#record.lines.push(line);
    const [verb = '', argument = ''] = line.split(' ');
    const own = this.#commands?.answer(verb, argument);
    if (own !== undefined) this.#reply(own);
    else if (verb === 'EPSV' || verb === 'PASV') void this.#passive(verb);
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
    const { level, bufferSize } = this.#commands ?? {};
    if (level !== 'P' || bufferSize === undefined || this.#data === undefined) {
      this.#reply('522 PROT P first');
      return;
    }
    this.#reply('150 go on');
    const socket = await this.#data;
    const transfer = { level, fileSequence, bufferSize };
    await (verb === 'RETR' ? this.#send(socket, transfer) : this.#receive(socket, transfer));
  }

  async #send(socket: net.Socket, transfer: Parameters<SafetpSession['blockWriter']>[0]): Promise<void> {
    const writer = this.#session?.blockWriter(transfer);
    const stream = Buffer.concat([...(writer?.write(this.#options.file) ?? []), ...(writer?.end() ?? [])]);
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

  async #receive(socket: net.Socket, transfer: Parameters<SafetpSession['blockReader']>[0]): Promise<void> {
    const reader = this.#session?.blockReader(transfer);
    const got: Buffer[] = [];
    socket.on('data', (bytes) => {
      this.#record.seen.push(bytes);
      got.push(...(reader?.push(bytes).data ?? []));
    });
    await new Promise<void>((resolve) =>
      socket
        .on('error', () => undefined)
        .on('end', () => {
          resolve();
        }),
    );
    socket.end();
    if (reader?.ended === true) this.#record.stored = Buffer.concat(got);
    this.#reply(reader?.ended === true ? '226 done' : '426 cut');
  }
}

const REPLIES: Readonly<Record<string, string>> = {
  USER: '331 password',
  PASS: '230 in',
  TYPE: '200 ok',
  SYST: '215 UNIX',
  QUIT: '221 bye',
};
