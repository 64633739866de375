// The other end of the stand-in for WinDivert.dll: builds it, and is the network that its handles see.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { waitFor } from '../../lab/harness/command.js';
import { arrivalMessage, formatMessage, messagesIn, type Message } from './messages.js';

const repository = path.resolve(import.meta.dirname, '../../../..');

/** Builds the stand-in into `folder`, beside the genuine DLL whose helper functions it uses. Returns its path. */
export function buildStandIn(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const genuine = path.join(pinnedPackage('windivert'), 'bin', 'x64', 'WinDivert.dll');
  copyFileSync(genuine, path.join(folder, 'WinDivertReal.dll'));
  const dll = path.join(folder, 'WinDivert.dll');
  const source = path.join(repository, 'test/wine/windivert/stand-in.c');
  execFileSync('x86_64-w64-mingw32-gcc', ['-O2', '-shared', '-o', dll, source, '-lws2_32'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return dll;
}

function pinnedPackage(name: string): string {
  const module = pathToFileURL(path.join(repository, 'installers/common/packages.mjs')).href;
  const script = `import { pinnedPackage } from '${module}'; console.log(pinnedPackage('${name}'));`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return said.trim().split('\n').at(-1) ?? '';
}

/** A packet on its way out of the driver. */
export interface Sent extends Pick<Message, 'flags' | 'index' | 'bytes'> {
  /** By the program, or past it because the filter did not match. */
  readonly by: 'program' | 'itself';
}

/** One handle that the program has opened. */
export class OpenHandle {
  readonly filter: string;
  readonly sent: Sent[] = [];
  /** What happened, in order: `parameter N = V`, `refused N`, `shut`, `closed`. */
  readonly events: string[] = [];
  readonly #socket: net.Socket;

  constructor(filter: string, socket: net.Socket) {
    this.filter = filter;
    this.#socket = socket;
  }

  /** These packets arrive at once, with the indexes 0, 1, 2 …, and may be read as one batch. */
  arrive(packets: readonly Uint8Array[], flags?: number): void {
    this.give(arrivalMessage(packets, flags));
  }

  /** Messages as they are. */
  give(messages: Uint8Array): void {
    this.#socket.write(messages);
  }

  /** From now on reading fails, without a word from the program. */
  breakDown(): void {
    this.give(formatMessage('F', Buffer.alloc(0)));
  }

  async hasSent(count: number): Promise<readonly Sent[]> {
    await waitFor(
      () => `${count} packets, ${this.sent.length} came; ${this.events.join(', ')}`,
      () => this.sent.length >= count,
    );
    return this.sent.slice();
  }

  async happened(event: string): Promise<void> {
    await waitFor(
      () => `${event} among: ${this.events.join(', ')}`,
      () => this.events.includes(event),
    );
  }

  note({ kind, body }: Message): void {
    if (kind === 'P') this.events.push(`parameter ${body.readUInt32LE(0)} = ${body.readBigUInt64LE(4)}`);
    else if (kind === 'E') this.events.push(`refused ${body.readUInt32LE(0)}`);
    else if (kind === 'X') this.events.push('shut');
    else if (kind === 'C') this.events.push('closed');
  }
}

/** Listens for the handles that a program opens. */
export class StandInNetwork {
  readonly handles: OpenHandle[] = [];
  /** What WinDivertOpen fails with; 0: it doesn't. */
  openError = 0;
  /** Given every packet that leaves the driver; by default the handle keeps them. */
  onSent: ((message: Message) => void) | undefined;
  readonly #server: net.Server;

  private constructor(server: net.Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#serve(socket);
    });
  }

  static async open(): Promise<StandInNetwork> {
    const server = net.createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new StandInNetwork(server);
  }

  /** For the program's environment. */
  get environment(): Readonly<Record<string, string>> {
    const bound = this.#server.address();
    return { FTPSEAL_STAND_IN: String(typeof bound === 'object' ? bound?.port : '') };
  }

  /** The newest handle. */
  get handle(): OpenHandle {
    const last = this.handles.at(-1);
    if (last === undefined) throw new Error('no handle was opened');
    return last;
  }

  close(): void {
    this.#server.close();
  }

  #serve(socket: net.Socket): void {
    let handle: OpenHandle | undefined;
    // A program that ends takes its handles with it.
    socket.on('error', () => undefined);
    const read = messagesIn((message) => {
      const { kind, flags, index, bytes } = message;
      if (kind === 'O') handle = this.#opened(bytes.toString(), socket);
      else if (kind !== 'S' && kind !== 'N') handle?.note(message);
      else if (this.onSent !== undefined) this.onSent(message);
      else handle?.sent.push({ by: kind === 'S' ? 'program' : 'itself', flags, index, bytes });
    });
    socket.on('data', read);
  }

  #opened(filter: string, socket: net.Socket): OpenHandle | undefined {
    const answer = Buffer.alloc(4);
    answer.writeUInt32LE(this.openError);
    socket.write(answer);
    if (this.openError !== 0) return undefined;
    const handle = new OpenHandle(filter, socket);
    this.handles.push(handle);
    return handle;
  }
}
