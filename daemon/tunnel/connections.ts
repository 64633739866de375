// The sides of a tunnel as connected sockets: dialled, accepted, handed over, or those of a program.
import { spawn, type ChildProcess } from 'node:child_process';
import net from 'node:net';
import { constants } from 'node:os';
import { Fault } from '../../shared/fault.js';
import { createBulkSocket } from '../relay/bulk-socket.js';
import {
  inetdDescriptor,
  isErrorOutputTheConnection,
  isListening,
  socketOnDescriptor,
} from './descriptors.js';
import { DEFAULT_HOST, placeText, type Place, type Side } from './plan.js';

/** A connected side, with its program if it has one. */
export interface Connected {
  readonly socket: net.Socket;
  readonly program: Program | undefined;
}

export interface Program {
  /** Its exit code; 128 and the signal's number if a signal ended it; 127 if it could not be started. */
  readonly exitCode: Promise<number>;
  readonly terminate: () => void;
}

export interface ConnectOptions {
  /** Milliseconds for dialling. */
  readonly dialMs: number;
  /** Milliseconds to wait for a connection; undefined: for ever. */
  readonly acceptMs: number | undefined;
  readonly onListening: (where: string) => void;
}

/** The side's socket, connected and paused. Rejects with a Fault. */
export async function connectSide(
  side: Exclude<Side, { kind: 'stdio' }>,
  options: ConnectOptions,
): Promise<Connected> {
  switch (side.kind) {
    case 'connect':
      return { socket: await dial(side.place, options.dialMs), program: undefined };
    case 'listen':
      return { socket: await listenFor(side.place, options), program: undefined };
    case 'descriptor':
      return { socket: socketOnDescriptor(side.fd), program: undefined };
    case 'inetd':
      return { socket: await handedOver(options), program: undefined };
    case 'program':
      return startProgram(side.argv);
  }
}

function dial(place: Place, dialMs: number): Promise<net.Socket> {
  const host = place.host ?? DEFAULT_HOST;
  return new Promise((resolve, reject) => {
    const socket = createBulkSocket();
    const fail = (reason: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Fault('network', `${placeText({ ...place, host })} can't be reached: ${reason}.`, cause));
    };
    const timer = setTimeout(() => {
      fail('no answer in time');
    }, dialMs);
    const onError = (error: NodeJS.ErrnoException): void => {
      fail(REASONS[error.code ?? ''] ?? error.message, error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
    socket.connect({ host, port: place.port });
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name is unknown',
  EAI_AGAIN: 'the name can’t be looked up now',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'no answer in time',
};

function listenFor(place: Place, options: ConnectOptions): Promise<net.Socket> {
  const where = place.host === undefined ? { port: place.port } : { host: place.host, port: place.port };
  return acceptOne(where, options, placeText(place));
}

function handedOver(options: ConnectOptions): Promise<net.Socket> {
  const fd = inetdDescriptor(process.env, process.pid);
  if (isListening(fd)) return acceptOne({ fd }, options, `descriptor ${fd}`);
  return Promise.resolve(socketOnDescriptor(fd));
}

/** One connection; the next one is refused, or left to whoever else has the listening socket. */
function acceptOne(
  where: net.ListenOptions & { readonly fd?: number },
  options: ConnectOptions,
  name: string,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const fail = (code: 'network' | 'not-permitted', text: string, cause?: unknown): void => {
      clearTimeout(timer);
      server.close();
      reject(new Fault(code, text, cause));
    };
    const { acceptMs } = options;
    const timer =
      acceptMs === undefined
        ? undefined
        : setTimeout(() => {
            fail('network', `Nobody connected to ${name} in time.`);
          }, acceptMs);
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES') fail('not-permitted', `You may not listen on ${name}.`, error);
      else if (error.code === 'EADDRINUSE')
        fail('network', `Another program listens on ${name} already.`, error);
      else fail('network', `${name} can't be listened on: ${error.message}.`, error);
    });
    server.once('connection', (socket) => {
      clearTimeout(timer);
      server.close();
      resolve(socket);
    });
    server.listen(where, () => {
      options.onListening(name);
    });
  });
}

/**
 * The program gets one end of a socket pair as its standard input and output, as inetd would give it; the shell only moves the
 * descriptor there and replaces itself.
 */
function startProgram(argv: readonly string[]): Connected {
  const errors = isErrorOutputTheConnection() ? ' 2>&3' : '';
  const move = `exec "$@" <&3 >&3${errors} 3>&-`;
  const child = spawn('/bin/sh', ['-c', move, 'sh', ...argv], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    env: withoutSystemd(process.env),
  });
  const socket = child.stdio[3];
  if (!(socket instanceof net.Socket)) throw new Error('a pipe to a program is a socket');
  socket.allowHalfOpen = true;
  socket.pause();
  return { socket, program: { exitCode: exitCodeOf(child), terminate: () => child.kill('SIGTERM') } };
}

function withoutSystemd(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'];
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.includes(name)));
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => {
      resolve(127);
    });
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + signalNumber(signal));
    });
  });
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal];
}
