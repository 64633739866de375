// One daemon a network namespace (they would fight over the rules) and one a runtime folder (over the socket and the
// key store). Both locks vanish with their holder, however it ends; there is no pid file to go stale.
import fs from 'node:fs';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../shared/fault.js';
import { STOP_GRACE_MS } from '../privops.js';
import { tryLock } from '../sys/libc.js';
import { peerCredentials } from '../sys/peer-credentials.js';
import { socketDescriptor } from '../sys/socket-descriptor.js';
import { steadyNow } from '../sys/steady-clock.js';

/** Names of the abstract kind exist once in each network namespace. */
const NAMESPACE_LOCK = '\0ftpseal-supervisor';
/** How long the proxy of a killed supervisor may take to end its sessions. */
const PREDECESSOR_MS = STOP_GRACE_MS + 3000;

/**
 * Takes both locks, and resolves with what gives them back and closes `fd`, a descriptor of the runtime folder. Whoever inherited
 * that holds the folder's lock too, whether before or after this. Rejects with a Fault that says who is in the way, `fd` closed.
 * `waiting` is called if a predecessor's proxy is in the way.
 */
export async function lockInstance(runtimeDir: string, fd: number, waiting: () => void): Promise<() => void> {
  const server = await lockNamespace().catch((error: unknown) => {
    fs.closeSync(fd);
    throw error;
  });
  const release = (): void => {
    fs.closeSync(fd);
    server?.close();
  };
  if (await lockFolder(fd, waiting)) return release;
  release();
  throw new Fault(
    'usage',
    `Another ftpseal daemon uses ${runtimeDir}: stop it, or choose another --runtime-dir and --state-dir.`,
  );
}

/** Whether a daemon holds this network namespace. */
export async function isDaemonHere(): Promise<boolean> {
  return isTrusted(await namespaceHolder());
}

async function lockFolder(fd: number, waiting: () => void): Promise<boolean> {
  if (tryLock(fd)) return true;
  waiting();
  const deadline = steadyNow() + PREDECESSOR_MS;
  while (steadyNow() < deadline) {
    await delay(100);
    if (tryLock(fd)) return true;
  }
  return false;
}

// Any user may take a name, so only a holder with our rights counts: nobody else can keep the daemon from starting.
async function lockNamespace(): Promise<net.Server | undefined> {
  const server = net.createServer((socket) => socket.destroy());
  if (await listens(server)) {
    server.unref();
    return server;
  }
  const holder = await namespaceHolder();
  if (!isTrusted(holder)) return undefined;
  throw new Fault(
    'usage',
    `Another ftpseal daemon already runs in this network namespace (process ${holder.pid}); stop it first.`,
  );
}

type Holder = ReturnType<typeof peerCredentials>;

function isTrusted(holder: Holder): holder is NonNullable<Holder> {
  return holder !== undefined && (holder.uid === 0 || holder.uid === process.geteuid?.());
}

function listens(server: net.Server): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(false);
      else reject(Fault.from(error));
    });
    server.listen(NAMESPACE_LOCK, () => {
      resolve(true);
    });
  });
}

function namespaceHolder(): Promise<Holder> {
  return new Promise((resolve) => {
    const socket = net.connect(NAMESPACE_LOCK);
    socket.once('error', () => {
      resolve(undefined);
    });
    socket.once('connect', () => {
      const fd = socketDescriptor(socket);
      resolve(fd === undefined ? undefined : peerCredentials(fd));
      socket.destroy();
    });
  });
}
