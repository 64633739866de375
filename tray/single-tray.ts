// One tray a user: a lock that vanishes with its holder, and the socket through which a second start asks the first to show the
// manager, or an upgrade asks it to end.
import fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { makePrivateFolder } from '../daemon/sys/atomic-file.js';
import { ipcTransport } from '../daemon/ipc/system-transport.js';
import { tryLock } from '../daemon/sys/libc.js';
import { ownUser } from '../daemon/sys/own-user.js';
import { tryHold } from '../daemon/sys/windows/exclusive-file.js';
import { Fault } from '../shared/fault.js';

const lockName = 'tray.lock';
const socketName = 'tray.sock';
const maxRequest = 64;
/** Longer than a proof of who is asking may take (daemon/ipc/windows). */
const answerMs = 20_000;

/** What the tray that runs may be asked for, by its own user. */
export type TrayRequest = 'manager' | 'quit';
const requests: readonly TrayRequest[] = ['manager', 'quit'];

export interface TrayLock {
  release(): void;
}

/**
 * Takes the person's one place in their own runtime folder; undefined if another tray has it. `obey` is called when
 * `askTray` was called somewhere.
 */
export async function lockTray(
  folder: string,
  obey: (request: TrayRequest) => void,
): Promise<TrayLock | undefined> {
  await makePrivateFolder(folder);
  if (process.platform === 'win32') return lockOnWindows(folder, obey);
  const fd = fs.openSync(
    join(folder, lockName),
    fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW,
    0o600,
  );
  if (!tryLock(fd)) {
    fs.closeSync(fd);
    return undefined;
  }
  const path = join(folder, socketName);
  // The lock is ours, so whoever made the socket is gone.
  fs.rmSync(path, { force: true });
  const server = net.createServer((socket) => {
    serve(socket, obey);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(Fault.from(error, 'network'));
    });
    server.listen(path, resolve);
  });
  fs.chmodSync(path, 0o600);
  return {
    release: () => {
      server.close();
      fs.rmSync(path, { force: true });
      fs.closeSync(fd);
    },
  };
}

/** There sockets have no rights of their own, so callers prove who they are as the daemon's do. */
async function lockOnWindows(
  folder: string,
  obey: (request: TrayRequest) => void,
): Promise<TrayLock | undefined> {
  const held = tryHold(join(folder, lockName));
  if (held === undefined) return undefined;
  const path = join(folder, socketName);
  const transport = await ipcTransport();
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    void transport.identify(socket, path).then((peer) => {
      if (peer?.uid === ownUser()) serve(socket, obey);
      else socket.destroy();
    });
  });
  await transport.listen(server, path);
  return {
    release: () => {
      server.close();
      fs.rmSync(path, { force: true });
      held.release();
    },
  };
}

function serve(socket: net.Socket, obey: (request: TrayRequest) => void): void {
  let request = '';
  socket.setTimeout(answerMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.setEncoding('utf8').on('data', (text: string) => {
    request += text;
    const wanted = requests.find((one) => request === `${one}\n`);
    if (wanted !== undefined) {
      socket.end('ok\n');
      obey(wanted);
    } else if (request.length > maxRequest) socket.destroy();
  });
}

/** Asks the running tray; false if none runs. */
export async function askTray(folder: string, request: TrayRequest): Promise<boolean> {
  const transport = await ipcTransport();
  const socket = await transport.open(join(folder, socketName)).catch(() => undefined);
  if (socket === undefined) return false;
  return new Promise((resolve) => {
    let answer = '';
    socket.setTimeout(answerMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.write(`${request}\n`);
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.once('close', () => {
      resolve(answer === 'ok\n');
    });
  });
}
