// `ftpseal tunnel` as a process, and the bytes that tests send through: on loopback, as an ordinary user could.
import { spawn, type ChildProcess } from 'node:child_process';
import { createCipheriv, createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { failWhenUnsettled } from '../../unsettled.js';

export const main = fileURLToPath(new URL('../../../daemon/main.js', import.meta.url));

/** The checkout, for scripts that are not compiled. */
export const sources = fileURLToPath(new URL('../../../../test/daemon/tunnel/', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Any program of a test: its streams and its end. */
export class Runner {
  readonly child: ChildProcess;
  readonly #chunks: Buffer[] = [];
  #stderr = '';
  readonly ended: Promise<Ended>;

  constructor(argv: readonly string[], options: { readonly cwd?: string; readonly collects?: boolean } = {}) {
    const [program = '', ...args] = argv;
    this.child = spawn(program, args, { cwd: options.cwd, stdio: 'pipe' });
    running.add(this.child);
    failWhenUnsettled(this.child, argv);
    if (options.collects !== false) this.output.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.input.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        running.delete(this.child);
        resolve({ code: code ?? -1, stdout: Buffer.concat(this.#chunks), stderr: this.#stderr });
      });
    });
  }

  get input(): Writable {
    if (this.child.stdin === null) throw new Error('no standard input');
    return this.child.stdin;
  }

  get output(): Readable {
    if (this.child.stdout === null) throw new Error('no standard output');
    return this.child.stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get stdout(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  /** Resolves when standard error matches; rejects when the program ends before. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#stderr)) {
      if (this.child.exitCode !== null) throw new Error(`ended without ${pattern.source}: ${this.#stderr}`);
      await pause();
    }
  }

  /** Resolves when standard output contains the text. */
  async prints(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`ended without ${text}: ${this.#stderr}`);
      await pause();
    }
  }
}

const running = new Set<ChildProcess>();

/** After each test: nothing of it stays behind. */
export function endRunning(): void {
  for (const child of running) child.kill('SIGKILL');
}

export function tunnel(
  argv: readonly string[],
  options: { readonly cwd?: string; readonly collects?: boolean } = {},
): Runner {
  return new Runner([process.execPath, main, 'tunnel', ...argv], options);
}

/** A tunnel that listens, ready to be connected to. */
export async function listeningTunnel(
  argv: readonly string[],
  options: { readonly cwd?: string; readonly collects?: boolean } = {},
): Promise<{ readonly runner: Runner; readonly port: string }> {
  const [first = [], rest = []] = splitAtDashes(argv);
  for (let tries = 1; ; tries += 1) {
    const port = String(await freePort());
    const runner = tunnel(['-s', '-v', '-p', `127.0.0.1:${port}`, ...first, ...rest], options);
    try {
      await runner.says(/listens on/);
      return { runner, port };
    } catch (error) {
      // On a busy machine a port that was free may be somebody's by now.
      if (tries === 3 || !runner.stderr.includes('Another program listens')) throw error;
    }
  }
}

function splitAtDashes(argv: readonly string[]): readonly (readonly string[])[] {
  const at = argv.indexOf('--');
  return at < 0 ? [argv] : [argv.slice(0, at), argv.slice(at)];
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export function pause(ms = 5): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const BLOCK = 1024 * 1024;

/** Sends `size` pseudo-random bytes, as fast as they are taken, and does not end; resolves with their SHA-256. */
export async function sendBytes(to: Writable, size: number, seed: number): Promise<string> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  const hash = createHash('sha256');
  for (let sent = 0; sent < size;) {
    const bytes = cipher.update(Buffer.alloc(Math.min(BLOCK, size - sent)));
    hash.update(bytes);
    sent += bytes.length;
    if (!to.write(bytes)) await drained(to);
    if (to.destroyed) throw new Error(`closed after ${sent} bytes`);
  }
  return hash.digest('hex');
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.once('drain', done).once('close', done);
  });
}

/** Takes `size` bytes and goes on reading; resolves with their SHA-256, rejects if fewer or more come. */
export function takeBytes(from: Readable, size: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash: Hash = createHash('sha256');
    let taken = 0;
    const tooFew = (): void => {
      reject(new Error(`${taken} bytes instead of ${size}`));
    };
    from.on('data', (bytes: Buffer) => {
      taken += bytes.length;
      if (taken > size) tooFew();
      else hash.update(bytes);
      if (taken === size) resolve(hash.digest('hex'));
    });
    from.once('end', tooFew).once('close', tooFew).resume();
    if (size === 0) resolve(hash.digest('hex'));
  });
}
