// One tray a user: a lock that vanishes with its holder, and the socket through which a second start asks the first to show the
// manager.
import fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { makePrivateFolder } from '../daemon/sys/atomic-file.js';
import { tryLock } from '../daemon/sys/libc.js';
import { Fault } from '../shared/fault.js';

const lockName = 'tray.lock';
const socketName = 'tray.sock';
const showManager = 'manager\n';
const maxRequest = 64;
const answerMs = 5000;

export interface TrayLock {
  release(): void;
}

/**
 * Takes the person's one place in their own runtime folder; undefined if another tray has it. `onManager` is called when
 * `askForManager` was called somewhere.
 */
export async function lockTray(folder: string, onManager: () => void): Promise<TrayLock | undefined> {
  await makePrivateFolder(folder);
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
    serve(socket, onManager);
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

function serve(socket: net.Socket, onManager: () => void): void {
  let request = '';
  socket.setTimeout(answerMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.setEncoding('utf8').on('data', (text: string) => {
    request += text;
    if (request === showManager) {
      onManager();
      socket.end('ok\n');
    } else if (request.length > maxRequest) socket.destroy();
  });
}

/** Asks the running tray to show the manager; false if none runs. */
export function askForManager(folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(join(folder, socketName));
    let answer = '';
    socket.setTimeout(answerMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('connect', () => socket.write(showManager));
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.once('close', () => {
      resolve(answer === 'ok\n');
    });
  });
}
