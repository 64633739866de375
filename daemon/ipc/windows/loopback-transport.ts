// IPC on Windows, where Node tells nothing of who is at the other end of a pipe: a port of 127.0.0.1, named in a file that only the
// daemon may write. Whose process holds the other end, Windows' table of connections says; that this is meant, and that
// the daemon is no impostor on a port that a dead one has left, both prove with the caller's secret (proof.ts).
import { readFile, rm } from 'node:fs/promises';
import { connect, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { parseIpAddress, parsePort, portSchema, type Endpoint } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';
import { writeFileAtomic } from '../../sys/atomic-file.js';
import { ownUser } from '../../sys/own-user.js';
import { setFileRights } from '../../sys/windows/file-security.js';
import { connectionOwner } from '../../sys/windows/connection-owner.js';
import type { IpcPeer, IpcTransport } from '../transport.js';
import { makeCallersFolder, ownSecret, secretFor } from './caller-secrets.js';
import {
  checkAnswer,
  checkProof,
  formatAnswer,
  formatHello,
  formatProof,
  lineBytes,
  makeNonce,
  parseHello,
} from './proof.js';

/** Both ends are on this machine and busy at worst. */
const proofMs = 15_000;

const placeSchema = z.object({ port: portSchema });

export const loopbackTransport: IpcTransport = { listen, identify, open };

async function listen(server: Server, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (await isAnswered(path))
    throw new Fault(
      'usage',
      `A daemon runs already on ${path}. Choose another --runtime-dir to run a second one.`,
    );
  await makeCallersFolder(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Exclusive: without it another program could share the port and take our callers.
    server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = z.object({ port: portSchema }).parse(server.address());
  await writeFileAtomic(path, `${JSON.stringify({ port })}\n`);
  const own = ownUser();
  setFileRights(path, {
    full: typeof own === 'string' ? ['SY', 'BA', own] : ['SY', 'BA'],
    read: ['BU'],
    inherit: 'this alone',
  });
}

async function identify(socket: Socket, path: string): Promise<IpcPeer | undefined> {
  return withinTime(socket, async () => {
    const caller = parseHello(await readExactly(socket, lineBytes.hello));
    const peer = peerOf(socket);
    if (caller === undefined || peer === undefined) return undefined;
    const secret = await secretFor(path, peer.sid);
    const nonces = { caller, daemon: makeNonce() };
    socket.write(formatAnswer(secret, nonces));
    const isProven = checkProof(await readExactly(socket, lineBytes.proof), secret, nonces);
    return isProven ? { uid: peer.sid, isAdministrator: peer.isAdministrator } : undefined;
  }).catch(() => undefined);
}

async function open(path: string): Promise<Socket> {
  const { port } = placeSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  const socket = await dial(port);
  try {
    await withinTime(socket, () => prove(socket, path));
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function prove(socket: Socket, path: string): Promise<void> {
  const caller = makeNonce();
  socket.write(formatHello(caller));
  const answer = await readExactly(socket, lineBytes.answer);
  // The daemon has made the file by now, if it is one.
  const secret = await ownSecret(path);
  const daemon = checkAnswer(answer, secret, caller);
  if (daemon === undefined)
    throw new Fault('no-daemon', 'Something else answers on the ftpseal daemon’s port.');
  socket.write(formatProof(secret, { caller, daemon }));
}

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** A port that answers and can't prove anything is somebody else's: the file is an old one. */
async function isAnswered(path: string): Promise<boolean> {
  try {
    (await open(path)).destroy();
    return true;
  } catch {
    await rm(path, { force: true });
    return false;
  }
}

function peerOf(socket: Socket): ReturnType<typeof connectionOwner> {
  const remote = endpoint(socket.remoteAddress, socket.remotePort);
  const local = endpoint(socket.localAddress, socket.localPort);
  return remote === undefined || local === undefined ? undefined : connectionOwner(remote, local);
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  const parsed = { address: parseIpAddress(address), port: parsePort(port) };
  if (parsed.address === undefined || parsed.port === undefined) return undefined;
  return { address: parsed.address, port: parsed.port };
}

async function withinTime<T>(socket: Socket, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => socket.destroy(), proofMs);
  // Its end is no error of ours; whoever gets the connection adds what they want to do about it.
  socket.on('error', () => undefined);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** Exactly so many bytes, leaving what follows in the socket; rejects if they don't come. */
function readExactly(socket: Socket, size: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const end = (act: () => void): void => {
      socket.off('readable', look).off('close', gone).off('end', gone);
      act();
    };
    const gone = (): void => {
      end(() => {
        reject(new Fault('protocol', 'The connection ended before it was proven whose it is.'));
      });
    };
    const look = (): void => {
      const bytes: unknown = socket.read(size);
      if (!(bytes instanceof Buffer)) return;
      end(() => {
        resolve(bytes.toString('latin1'));
      });
    };
    socket.on('readable', look).on('close', gone).on('end', gone);
    look();
  });
}
