// The field of the benchmark of the server proxy: a client host, a server host, and on it the same plain server behind every
// contender, and vsftpd with its own TLS.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { login } from '../../lab/harness/account.js';
import { openLab, type Lab } from '../../lab/harness/lab.js';
import type { LabServer } from '../../lab/harness/server.js';
import { vsftpdPlain, vsftpdTls } from '../../lab/servers/vsftpd.js';
import { stopAll, type Contender, type Protection, type Proxy } from '../ftp/contender.js';
import {
  forBench,
  layGround,
  openMemory,
  startFilled,
  type Ground,
  type MemoryFolder,
} from '../ftp/ground.js';
import { isListening } from '../ftp/listening.js';
import { startProxy } from '../ftp/restartable.js';
import type { FtpSizes } from '../ftp/sizes.js';
import { startServeProxy } from './serve-proxy.js';

export const serveNames = ['ftpseal', 'vsftpd', 'stunnel', 'plain'] as const;
export type ServeName = (typeof serveNames)[number];

/** Everything that runs. */
export interface Field {
  readonly contenders: readonly Contender[];
  readonly ground: Ground;
  close(): Promise<void>;
}

/** What a contender is built on. */
interface Site {
  readonly lab: Lab;
  readonly memory: MemoryFolder;
  readonly sizes: FtpSizes;
}

interface Stand {
  readonly contender: Contender;
  readonly server: LabServer;
}

/** Opens the lab and starts the named contenders, each with a server of its own. */
export async function openField(names: readonly ServeName[], sizes: FtpSizes): Promise<Field> {
  const lab = await openLab();
  const memory = openMemory(lab, sizes, names.length);
  const stands: Stand[] = [];
  const close = async (): Promise<void> => {
    await stopAll(stands.map(({ contender }) => contender));
    for (const { server } of stands) await server.stop();
    await lab.close();
    memory.remove();
  };
  try {
    for (const name of names) stands.push(await makers[name]({ lab, memory, sizes }));
    const [first] = stands;
    if (first === undefined) throw new Error('no contender was asked for');
    const contenders = stands.map(({ contender }) => contender);
    return { contenders, ground: layGround(lab, first.server), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const makers: Readonly<Record<ServeName, (site: Site) => Promise<Stand>>> = {
  ftpseal: async (site) => {
    const server = await startBehind(site, 'ftpseal', '127.0.1.1');
    const address = site.lab.network.nextAddress().ipv4;
    const proxy = await startServeProxy(site.lab, address, server.address.ipv4);
    return stand(site, 'ftpseal', { server, proxy, address, port: 21, protection: 'explicit' });
  },
  vsftpd: async (site) => {
    const server = await startFilled(site.lab, forBench(vsftpdTls), site.memory, site.sizes);
    const address = server.address.ipv4;
    return stand(site, 'vsftpd', { server, proxy: undefined, address, port: 21, protection: 'explicit' });
  },
  stunnel: async (site) => {
    const server = await startBehind(site, 'stunnel', '127.0.1.2');
    const address = site.lab.network.nextAddress().ipv4;
    const proxy = await startStunnel(site.lab, address, server.address.ipv4);
    return stand(site, 'stunnel', { server, proxy, address, port: 990, protection: 'wrapped' });
  },
  plain: async (site) => {
    const kind = forBench({ ...vsftpdPlain, name: 'plain' });
    const server = await startFilled(site.lab, kind, site.memory, site.sizes);
    const address = server.address.ipv4;
    return stand(site, 'plain', { server, proxy: undefined, address, port: 21, protection: 'none' });
  },
};

function stand(
  { lab }: Site,
  name: ServeName,
  made: {
    readonly server: LabServer;
    readonly proxy: Proxy | undefined;
    readonly address: string;
    readonly port: number;
    readonly protection: Protection;
  },
): Stand {
  const { server, proxy, ...rest } = made;
  const contender: Contender = {
    ...rest,
    name,
    namespace: lab.network.pc,
    user: login.user,
    proxy,
    roots: () => [...(proxy === undefined ? [] : [proxy.pid()]), ...server.pids],
    log: () => (proxy?.log() ?? '') + server.log().slice(-1500),
    uploads: undefined,
  };
  return { contender, server };
}

const passivePorts = { first: 40_000, last: 40_031 } as const;

/** A plain server that only its own host reaches. Its second family has to be there, and is used by nobody. */
function startBehind({ lab, memory, sizes }: Site, name: string, ipv4: string): Promise<LabServer> {
  const { ipv6 } = lab.network.nextAddress();
  const bounds = [`pasv_min_port=${passivePorts.first}`, `pasv_max_port=${passivePorts.last}`];
  const kind = forBench({ ...vsftpdPlain, name: `behind-${name}` }, bounds);
  return startFilled(lab, kind, memory, sizes, { ipv4, ipv6 });
}

async function startStunnel(lab: Lab, address: string, backend: string): Promise<Proxy> {
  const certificate = await lab.certificate('bench-stunnel');
  const folder = path.join(lab.folder, 'stunnel');
  mkdirSync(folder, { recursive: true });
  const count = passivePorts.last - passivePorts.first + 1;
  const data = Array.from({ length: count }, (_, index) => passivePorts.first + index);
  const service = (accept: number, connect: number): readonly string[] => [
    `[port-${accept}]`,
    `accept = ${address}:${accept}`,
    `connect = ${backend}:${connect}`,
    `cert = ${certificate.both}`,
  ];
  const lines = [
    'foreground = yes',
    'pid =',
    'debug = warning',
    ...service(990, 21),
    ...data.flatMap((port) => service(port, port)),
  ];
  const file = path.join(folder, 'stunnel.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return startProxy({
    name: 'stunnel',
    place: { namespace: lab.network.srv },
    argv: ['stunnel4', file],
    serves: () => isListening(lab.network.srv, passivePorts.last, address),
    log: () => '',
  });
}
