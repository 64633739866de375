// What every benchmark over FTP stands on: servers with their files in memory, and the measuring client's script.
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import path from 'node:path';
import { serverUid } from '../../lab/harness/account.js';
import type { Lab } from '../../lab/harness/lab.js';
import type { ServerAddress } from '../../lab/harness/network.js';
import { writeContent } from '../../lab/harness/payload.js';
import { repository, startServer, type LabServer, type ServerKind } from '../../lab/harness/server.js';
import type { FtpSizes } from './sizes.js';

/** Files and folders that a measurement needs. */
export interface Ground {
  /** Scratch space that every user may read. */
  readonly folder: string;
  /** The measuring client's script. */
  readonly driver: string;
  /** The big file that is uploaded. */
  readonly bigFile: string;
}

/** How a piece of work is to be done. */
export interface FtpContext {
  readonly ground: Ground;
  readonly sizes: FtpSizes;
  /** Who moves the big files: curl where every contender can be asked by it, else the script. */
  readonly bulk: 'curl' | 'ftplib';
}

export const bigName = 'big.bin';
export const uploadName = 'up/big.bin';

/** The name of the small file with that number. */
function smallName(index: number): string {
  return `small/f${String(index).padStart(4, '0')}.bin`;
}

/** Memory file system; the servers' storage must not be what is measured. */
const memoryRoot = '/dev/shm';

/** No bound on clients: the defaults end at 50 sessions an address and five idle minutes. */
const serverSettings = [
  'max_clients=0',
  'max_per_ip=0',
  'idle_session_timeout=3600',
  'data_connection_timeout=600',
];

/** vsftpd without limits on its clients, and with these further lines. */
export function forBench(kind: ServerKind, further: readonly string[] = []): ServerKind {
  return {
    ...kind,
    prepare: (site) => {
      const argv = kind.prepare(site);
      const lines = [...serverSettings, ...further];
      appendFileSync(path.join(site.folder, 'vsftpd.conf'), `${lines.join('\n')}\n`);
      return argv;
    },
  };
}

function fill(home: string, sizes: FtpSizes): void {
  for (const folder of ['small', 'up']) {
    mkdirSync(path.join(home, folder));
    chownSync(path.join(home, folder), serverUid, serverUid);
  }
  const smallFiles = Math.max(sizes.smallFiles, sizes.mirrorFiles);
  for (let index = 0; index < smallFiles; index += 1)
    writeContent(path.join(home, smallName(index)), sizes.smallBytes);
  writeContent(path.join(home, bigName), sizes.bulkBytes);
}

/** Each server holds a download and an upload, and a first upload replaces nothing yet. */
function checkMemory(sizes: FtpSizes, servers: number): void {
  const { bavail, bsize } = statfsSync(memoryRoot);
  const wanted = (2 * servers + 1) * sizes.bulkBytes;
  if (bavail * bsize < wanted)
    throw new Error(
      `${memoryRoot} has less than the ${Math.ceil(wanted / 2 ** 20)} MiB that the servers need`,
    );
}

/** The servers' files of a run that was killed: gigabytes of memory that nothing else would give back. */
function removeLeftovers(): void {
  for (const name of readdirSync(memoryRoot)) {
    const pid = /^ftpseal-lab-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(path.join(memoryRoot, name), { recursive: true, force: true });
  }
}

/** The folder in memory where servers keep their files; `remove` it at the end. */
export interface MemoryFolder {
  readonly path: string;
  remove(): void;
}

/** Throws if there is no room for so many servers. */
export function openMemory(lab: Lab, sizes: FtpSizes, servers: number): MemoryFolder {
  removeLeftovers();
  checkMemory(sizes, servers);
  const folder = path.join(memoryRoot, path.basename(lab.folder));
  mkdirSync(folder, { mode: 0o755 });
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { path: folder, remove };
}

/** Starts a server of `memory` with its files, on the next address of the server host or on the given one. */
export async function startFilled(
  lab: Lab,
  kind: ServerKind,
  memory: MemoryFolder,
  sizes: FtpSizes,
  address: ServerAddress = lab.network.nextAddress(),
): Promise<LabServer> {
  const where = { namespace: lab.network.srv, address, folder: path.join(memory.path, kind.name) };
  const server = await startServer(kind, where, await lab.certificate(kind.name));
  fill(server.home, sizes);
  return server;
}

/** Puts the script where ordinary users can read it. `server` is the one whose big file is uploaded again. */
export function layGround(lab: Lab, server: LabServer): Ground {
  const driver = path.join(lab.folder, 'driver.py');
  copyFileSync(path.join(repository, 'test/bench/driver.py'), driver);
  chmodSync(driver, 0o644);
  return { folder: lab.folder, driver, bigFile: path.join(server.home, bigName) };
}
