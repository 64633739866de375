// The lab's hosts: network namespaces joined by veth pairs, named after the test's pid so that runs never collide.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { must, run } from './command.js';

/** The addresses of one server on both families. */
export interface ServerAddress {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Two or three hosts. `mitm` routes between the others when it was asked for, else it is undefined. */
export interface Network {
  readonly pc: string;
  readonly srv: string;
  readonly mitm: string | undefined;
  /** The further client hosts that were asked for; the first one's own addresses end in 23.0.2, the next one's in 24.0.2. */
  readonly morePcs: readonly string[];
  /** A fresh address of the server host for one more server; at most 40. */
  nextAddress(): ServerAddress;
  /** Ends everything that still runs on the hosts and removes them. */
  close(): Promise<void>;
}

const serverAddresses = 40;
const firstServerHost = 10;
const firstFurtherNet = 23;

/** Opens the hosts; a server host's addresses are 10.22.0.10 and up, fd22::10 and up; the client's end in 2. */
export async function openNetwork(
  options: { readonly third?: boolean; readonly morePcs?: number } = {},
): Promise<Network> {
  await removeLeftovers();
  const pc = `fs-pc-${process.pid}`;
  const srv = `fs-srv-${process.pid}`;
  const mitm = options.third === true ? `fs-mitm-${process.pid}` : undefined;
  for (const name of mitm === undefined ? [pc, srv] : [pc, srv, mitm]) await openHost(name);
  if (mitm === undefined) await join({ namespace: pc, device: 'eth0', net: 22, host: 2 }, srv);
  else await route(pc, mitm, srv);
  await addServerAddresses(srv);
  const morePcs = Array.from(
    { length: options.morePcs ?? 0 },
    (_, index) => `fs-pc${index + 2}-${process.pid}`,
  );
  for (const [index, name] of morePcs.entries()) await addPc(name, firstFurtherNet + index, srv);
  const hosts = [pc, srv, ...(mitm === undefined ? [] : [mitm]), ...morePcs];
  process.once('exit', () => {
    for (const name of hosts) removeHostNow(name);
  });
  let used = 0;
  return {
    pc,
    srv,
    mitm,
    morePcs,
    nextAddress: () => {
      used += 1;
      if (used > serverAddresses) throw new Error('the lab has no more server addresses');
      return serverAddress(used);
    },
    close: async () => {
      for (const name of hosts) await removeHost(name);
    },
  };
}

function serverAddress(index: number): ServerAddress {
  return {
    ipv4: `10.22.0.${firstServerHost + index}`,
    ipv6: `fd22::${(firstServerHost + index).toString(16)}`,
  };
}

async function openHost(name: string): Promise<void> {
  await must({}, ['ip', 'netns', 'add', name]);
  await must({}, ['ip', '-n', name, 'link', 'set', 'lo', 'up']);
  // FTP servers that run as ordinary users bind ports 20 and 21 here.
  await sysctl(name, 'net.ipv4.ip_unprivileged_port_start', '0');
}

async function sysctl(namespace: string, key: string, value: string): Promise<void> {
  const file = `/proc/sys/${key.replaceAll('.', '/')}`;
  await must({ namespace }, ['sh', '-c', `echo ${value} > ${file}`]);
}

interface End {
  readonly namespace: string;
  readonly device: string;
  readonly net: number;
  readonly host: number;
}

/** A veth pair between `near` and host number 1 of the same net on `far`. */
async function join(near: End, far: string): Promise<void> {
  const farDevice = `${near.device}-${near.net}`;
  const pair = ['type', 'veth', 'peer', 'name', farDevice, 'netns', far];
  await must({}, ['ip', '-n', near.namespace, 'link', 'add', near.device, ...pair]);
  await addAddress(near);
  await addAddress({ namespace: far, device: farDevice, net: near.net, host: 1 });
}

async function addAddress(end: End): Promise<void> {
  const ip = ['ip', '-n', end.namespace];
  await must({}, [...ip, 'addr', 'add', `10.${end.net}.0.${end.host}/24`, 'dev', end.device]);
  await must({}, [...ip, '-6', 'addr', 'add', `fd${end.net}::${end.host}/64`, 'dev', end.device, 'nodad']);
  await must({}, [...ip, 'link', 'set', end.device, 'up']);
}

/** One more client host, on a net of its own, that reaches the servers' addresses through the server host. */
async function addPc(name: string, net: number, srv: string): Promise<void> {
  await openHost(name);
  await join({ namespace: name, device: 'eth0', net, host: 2 }, srv);
  await must({}, ['ip', '-n', name, 'route', 'add', 'default', 'via', `10.${net}.0.1`]);
  await must({}, ['ip', '-n', name, '-6', 'route', 'add', 'default', 'via', `fd${net}::1`]);
}

async function route(pc: string, mitm: string, srv: string): Promise<void> {
  await join({ namespace: pc, device: 'eth0', net: 21, host: 2 }, mitm);
  await join({ namespace: srv, device: 'eth0', net: 22, host: 2 }, mitm);
  for (const [host, net] of [
    [pc, 21],
    [srv, 22],
  ] as const) {
    await must({}, ['ip', '-n', host, 'route', 'add', 'default', 'via', `10.${net}.0.1`]);
    await must({}, ['ip', '-n', host, '-6', 'route', 'add', 'default', 'via', `fd${net}::1`]);
  }
  await sysctl(mitm, 'net.ipv4.ip_forward', '1');
  await sysctl(mitm, 'net.ipv6.conf.all.forwarding', '1');
}

async function addServerAddresses(srv: string): Promise<void> {
  const device = serverDevice(srv);
  const lines: string[] = [];
  for (let index = 1; index <= serverAddresses; index += 1) {
    const { ipv4, ipv6 } = serverAddress(index);
    lines.push(`addr add ${ipv4}/24 dev ${await device}`, `addr add ${ipv6}/64 dev ${await device} nodad`);
  }
  await must({}, ['ip', '-n', srv, '-batch', '-'], lines.join('\n'));
}

/** The server host's network device, on which the lab captures. */
export async function serverDevice(srv: string): Promise<string> {
  const links = await must({}, ['ip', '-n', srv, '-o', 'link', 'show']);
  const device = /: (eth0[^@:]*)[@:]/.exec(links)?.[1];
  if (device === undefined) throw new Error(`no network device on ${srv}`);
  return device;
}

/** Hosts of test runs that were killed: their pid is gone. Hosts of runs that still live are left alone. */
async function removeLeftovers(): Promise<void> {
  const names = (await run({}, ['ip', 'netns', 'list'])).stdout
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  const alive = new Set(readdirSync('/proc'));
  for (const name of names) {
    const pid = /^fs-(?:pc\d*|srv|mitm|probe)-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !alive.has(pid)) await removeHost(name);
  }
}

async function removeHost(name: string): Promise<void> {
  const pids = pidsOf((await run({}, ['ip', 'netns', 'pids', name])).stdout);
  for (const pid of pids) killQuietly(pid);
  await run({}, ['ip', 'netns', 'del', name]);
}

/** A server forks while its processes are being ended. */
const sweeps = 5;

/**
 * The same while this process ends, after a signal too: a server's sessions are thousands of processes that have left its process
 * group, and that nobody but the host they run on knows.
 */
function removeHostNow(name: string): void {
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const pids = pidsOf(spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).stdout);
    if (pids.length === 0) break;
    for (const pid of pids) killQuietly(pid);
  }
  spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
}

function pidsOf(lines: string): readonly number[] {
  return lines
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}
