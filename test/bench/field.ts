// The benchmark's field: servers with their files in memory, one client host for each contender, and what runs on it.
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
import { serverUid } from '../lab/harness/account.js';
import { openLab, type Lab } from '../lab/harness/lab.js';
import { writeContent } from '../lab/harness/payload.js';
import { repository, startServer, type LabServer, type ServerKind } from '../lab/harness/server.js';
import { vsftpdPlain, vsftpdTls } from '../lab/servers/vsftpd.js';
import type { Contender, ContenderName } from './contenders/contender.js';
import { native, plain } from './contenders/direct.js';
import { startFtpseal } from './contenders/ftpseal.js';
import { startModProxy } from './contenders/mod-proxy.js';
import type { Sizes } from './sizes.js';

/** Everything that runs. */
export interface Field {
  readonly contenders: readonly Contender[];
  /** A host without any rule, and the server host. */
  readonly bareHost: string;
  readonly serverHost: string;
  /** Scratch space that every user may read. */
  readonly folder: string;
  /** The measuring client's script, and the big file that is uploaded. */
  readonly driver: string;
  readonly bigFile: string;
  close(): Promise<void>;
}

export const bigName = 'big.bin';
export const uploadName = 'up/big.bin';

/** The name of the small file with that number. */
export function smallName(index: number): string {
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

function forBench(kind: ServerKind): ServerKind {
  return {
    ...kind,
    prepare: (site) => {
      const argv = kind.prepare(site);
      appendFileSync(path.join(site.folder, 'vsftpd.conf'), `${serverSettings.join('\n')}\n`);
      return argv;
    },
  };
}

function fill(home: string, sizes: Sizes): void {
  for (const folder of ['small', 'up']) {
    mkdirSync(path.join(home, folder));
    chownSync(path.join(home, folder), serverUid, serverUid);
  }
  const smallFiles = Math.max(sizes.smallFiles, sizes.mirrorFiles);
  for (let index = 0; index < smallFiles; index += 1)
    writeContent(path.join(home, smallName(index)), sizes.smallBytes);
  writeContent(path.join(home, bigName), sizes.bulkBytes);
}

/** Two servers hold a download and an upload each, and a first upload replaces nothing yet. */
function checkMemory(sizes: Sizes): void {
  const { bavail, bsize } = statfsSync(memoryRoot);
  const wanted = 5 * sizes.bulkBytes;
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

/** Opens the lab, starts the servers and the named contenders. */
export async function openField(names: readonly ContenderName[], sizes: Sizes): Promise<Field> {
  removeLeftovers();
  checkMemory(sizes);
  const lab = await openLab({ morePcs: 3 });
  const memory = path.join(memoryRoot, path.basename(lab.folder));
  mkdirSync(memory, { mode: 0o755 });
  process.once('exit', () => {
    rmSync(memory, { recursive: true, force: true });
  });
  const servers: LabServer[] = [];
  const contenders: Contender[] = [];
  const close = async (): Promise<void> => {
    for (const contender of contenders) {
      await contender.proxy?.stop();
      await contender.uploads?.proxy?.stop();
    }
    for (const server of servers) await server.stop();
    await lab.close();
    rmSync(memory, { recursive: true, force: true });
  };
  try {
    for (const kind of [vsftpdTls, vsftpdPlain]) servers.push(await openServer(lab, kind, memory, sizes));
    const [secured, clear] = servers;
    if (secured === undefined || clear === undefined) throw new Error('no servers');
    for (const name of names) contenders.push(await startContender(name, lab, { secured, clear }));
  } catch (error) {
    await close();
    throw error;
  }
  const driver = path.join(lab.folder, 'driver.py');
  copyFileSync(path.join(repository, 'test/bench/driver.py'), driver);
  chmodSync(driver, 0o644);
  return {
    contenders,
    bareHost: hostOf(lab, 'native').namespace,
    serverHost: lab.network.srv,
    folder: lab.folder,
    driver,
    bigFile: path.join(memory, vsftpdTls.name, 'home', bigName),
    close,
  };
}

async function openServer(lab: Lab, kind: ServerKind, memory: string, sizes: Sizes): Promise<LabServer> {
  const folder = path.join(memory, kind.name);
  const where = { namespace: lab.network.srv, address: lab.network.nextAddress(), folder };
  const server = await startServer(forBench(kind), where, await lab.certificate(kind.name));
  fill(server.home, sizes);
  return server;
}

/** Each proxy has a host of its own, so that no contender pays for another one's rules; the direct ones share one. */
function hostOf(lab: Lab, name: ContenderName): { readonly namespace: string; readonly address: string } {
  const index = { ftpseal: 0, mod_proxy: 1, native: 2, plain: 2 }[name];
  const namespace = lab.network.morePcs[index];
  if (namespace === undefined) throw new Error(`no host for ${name}`);
  return { namespace, address: `10.${23 + index}.0.2` };
}

function startContender(
  name: ContenderName,
  lab: Lab,
  servers: { readonly secured: LabServer; readonly clear: LabServer },
): Promise<Contender> {
  const host = hostOf(lab, name);
  const folder = path.join(lab.folder, name);
  switch (name) {
    case 'ftpseal':
      return startFtpseal(lab, host.namespace, servers.secured);
    case 'mod_proxy':
      return startModProxy(host, folder, servers.secured);
    case 'native':
      return Promise.resolve(native(host.namespace, servers.secured));
    case 'plain':
      return Promise.resolve(plain(host.namespace, servers.clear));
  }
}
