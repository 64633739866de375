// The other end of the stand-in for WinDivert.dll: builds it, and is the network that its handles see.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { waitFor } from '../../lab/harness/command.js';

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

const ADDRESS = 80;
const FLAGS_AT = 10;
export const OUTBOUND = 0x02;
const IPV6 = 0x10;
export const SUMS_VALID = 0x20 | 0x40;

/** What the driver says of an outbound packet; `index` stands in the interface, so that an address can be told from others. */
export function addressOf(packet: Uint8Array, index: number, flags = OUTBOUND | SUMS_VALID): Buffer {
  const address = Buffer.alloc(ADDRESS);
  address.writeBigInt64LE(1_000_000n + BigInt(index), 0);
  address[FLAGS_AT] = flags | ((packet[0] ?? 0) >> 4 === 6 ? IPV6 : 0);
  address.writeUInt32LE(index, 16);
  address.writeUInt32LE(7, 20);
  return address;
}

/** A packet on its way out of the driver. */
export interface Sent {
  /** By the program, or past it because the filter did not match. */
  readonly by: 'program' | 'itself';
  readonly flags: number;
  /** As given to `addressOf`. */
  readonly index: number;
  readonly bytes: Buffer;
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
    const parts = packets.flatMap((bytes, index) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [addressOf(bytes, index, flags), length, bytes];
    });
    this.#socket.write(message('B', Buffer.concat(parts)));
  }

  /** From now on reading fails, without a word from the program. */
  breakDown(): void {
    this.#socket.write(message('F', Buffer.alloc(0)));
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

  note(kind: string, body: Buffer): void {
    if (kind === 'P') this.events.push(`parameter ${body.readUInt32LE(0)} = ${body.readBigUInt64LE(4)}`);
    else if (kind === 'E') this.events.push(`refused ${body.readUInt32LE(0)}`);
    else if (kind === 'X') this.events.push('shut');
    else if (kind === 'C') this.events.push('closed');
    else if (kind === 'S' || kind === 'N') {
      const by = kind === 'S' ? 'program' : 'itself';
      const [flags, index] = [body[FLAGS_AT] ?? 0, body.readUInt32LE(16)];
      this.sent.push({ by, flags, index, bytes: body.subarray(ADDRESS) });
    }
  }
}

function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(body.length, 0);
  head.write(kind, 4);
  return Buffer.concat([head, body]);
}

/** Listens for the handles that a program opens. */
export class StandInNetwork {
  readonly handles: OpenHandle[] = [];
  /** What WinDivertOpen fails with; 0: it doesn't. */
  openError = 0;
  readonly #server: net.Server;

  private constructor(server: net.Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#serve(socket);
    });
  }

  static async open(): Promise<StandInNetwork> {
    const server = net.createServer().listen(0, '127.0.0.1');
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
    let rest = Buffer.alloc(0);
    let handle: OpenHandle | undefined;
    // A program that ends takes its handles with it.
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32LE(0)) {
        const body = rest.subarray(5, 5 + rest.readUInt32LE(0));
        const kind = String.fromCharCode(rest[4] ?? 0);
        rest = rest.subarray(5 + body.length);
        if (kind === 'O') handle = this.#opened(body.toString(), socket);
        else handle?.note(kind, Buffer.from(body));
      }
    });
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
