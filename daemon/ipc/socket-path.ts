// The Unix socket as a file: taking its place from a daemon that died, never from one that lives.
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { Fault } from '../../shared/fault.js';
import { SOCKET_NAME } from '../../shared/ipc-messages.js';

export function socketPath(runtimeDir: string): string {
  return join(runtimeDir, SOCKET_NAME);
}

/**
 * Listens on `path`. Everybody may connect: who it is, the kernel says (SO_PEERCRED), and every method checks.
 * A socket that nobody answers on is removed first. Rejects with a Fault of code `usage` if a daemon answers there,
 * or if something else than a socket has that name.
 */
export async function listenOnPath(server: Server, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await removeStale(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  await chmod(path, 0o666);
}

/** Between the look and the removal another daemon may start: then both think they own the place, as with any lock file. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket())
    throw new Fault('usage', `${path} exists and is no socket; remove it or choose another --runtime-dir.`);
  if (await isAnswered(path)) {
    throw new Fault(
      'usage',
      `A daemon runs already on ${path}. Choose another --runtime-dir to run a second one.`,
    );
  }
  await rm(path, { force: true });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => {
      end(true);
    });
    socket.once('error', () => {
      end(false);
    });
  });
}
