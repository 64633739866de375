// Names in the lab: a DNS server on the servers' host, and on the client's host a real systemd-resolved that asks it, in a mount
// namespace of its own, so that nothing of the machine's own names is touched.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clientUid } from './account.js';
import { run, start, waitFor, type Finished, type Running } from './command.js';
import type { Lab } from './lab.js';
import { unpacked, withLibraries } from './server.js';

export interface Names {
  /** Words before a program that is to see these names, as root. */
  readonly inside: readonly string[];
  /** What the DNS server says from now on; a name may have several addresses. */
  say(names: Readonly<Record<string, string | readonly string[]>>): Promise<void>;
  /** A program of the client looks the name up. Returns its addresses. */
  lookUp(name: string): Promise<readonly string[]>;
  /** Runs a program of the client's that sees these names. */
  run(argv: readonly string[], uid?: number): Promise<Finished>;
  /** Ends systemd-resolved and starts it anew. */
  restartResolver(): Promise<void>;
  close(): Promise<void>;
}

const resolverUid = 30_991;

export async function openNames(lab: Lab): Promise<Names> {
  const folder = path.join(lab.folder, 'names');
  mkdirSync(path.join(folder, 'systemd'), { recursive: true });
  const hosts = path.join(folder, 'hosts');
  writeFileSync(hosts, '');
  const server = lab.network.nextAddress().ipv4;
  const options = ['--no-daemon', '--no-hosts', '--no-resolv', '--conf-file=/dev/null', '--pid-file='];
  const zone = ['--local=/test/', `--addn-hosts=${hosts}`, `--listen-address=${server}`, '--bind-interfaces'];
  const dns = start({ namespace: lab.network.srv }, ['dnsmasq', ...options, ...zone, '--user=root']);
  const holder = await holdMounted(lab, folder, server);
  const inside = ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`, '--'];
  const runInside = (argv: readonly string[], uid = clientUid) =>
    run({ namespace: lab.network.pc }, [
      ...[...inside, 'setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--', ...argv],
    ]);
  const lookUp = async (name: string): Promise<readonly string[]> => {
    const { stdout } = await runInside(['getent', 'ahostsv4', name]);
    const found = stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
    return [...new Set(found.filter((address) => address !== ''))];
  };
  let resolver = await startResolver(lab, inside);
  return {
    inside,
    lookUp,
    run: runInside,
    say: async (names) => {
      const lines = Object.entries(names).flatMap(([name, to]) =>
        [to].flat().map((one) => `${one} ${name}\n`),
      );
      // The last line tells that it was read.
      const stamp = `read-${lines.length}-${Date.now()}.test`;
      writeFileSync(hosts, `${lines.join('')}192.0.2.255 ${stamp}\n`);
      process.kill(dns.pid, 'SIGHUP');
      await waitFor(
        () => `the DNS server: ${dns.stderr()} ${resolver.stderr()}`,
        async () => (await lookUp(stamp)).length > 0,
      );
    },
    restartResolver: async () => {
      await resolver.stop();
      resolver = await startResolver(lab, inside);
    },
    close: async () => {
      for (const running of [resolver, holder, dns]) await running.stop(0);
    },
  };
}

async function startResolver(lab: Lab, inside: readonly string[]): Promise<Running> {
  const program = path.join(unpacked('systemd-resolved'), 'lib/systemd/systemd-resolved');
  const running = start({ namespace: lab.network.pc }, [
    ...inside,
    ...withLibraries('systemd-resolved', [program]),
  ]);
  const monitor = '/run/systemd/resolve/io.systemd.Resolve.Monitor';
  await waitFor(
    () => `systemd-resolved: ${running.stderr()}`,
    async () => (await run({ namespace: lab.network.pc }, [...inside, 'test', '-S', monitor])).code === 0,
  );
  return running;
}

/** The mounts end with the process that holds them. */
async function holdMounted(lab: Lab, folder: string, server: string): Promise<Running> {
  const user = `systemd-resolve:x:${resolverUid}:`;
  writeFileSync(
    path.join(folder, 'passwd'),
    withUser('/etc/passwd', `${user}${resolverUid}::/:/bin/false\n`),
  );
  writeFileSync(path.join(folder, 'group'), withUser('/etc/group', `${user}\n`));
  writeFileSync(path.join(folder, 'resolv.conf'), 'nameserver 127.0.0.53\n');
  const settings = [`DNS=${server}`, 'Domains=~.', 'Cache=no', 'DNSSEC=no', 'LLMNR=no', 'MulticastDNS=no'];
  writeFileSync(path.join(folder, 'systemd/resolved.conf'), `[Resolve]\n${settings.join('\n')}\n`);
  const steps = [
    'mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd',
    `mkdir -p /run/systemd/netif/links /run/systemd/resolve && chown ${resolverUid}:${resolverUid} /run/systemd/resolve`,
    ...['passwd', 'group', 'resolv.conf', 'systemd'].map((name) => `mount --bind "$0/${name}" /etc/${name}`),
    'echo mounted && exec sleep 100000',
  ];
  const shell = ['sh', '-c', steps.join(' && '), folder];
  const holder = start({ namespace: lab.network.pc }, [
    ...['unshare', '--mount', '--propagation', 'private', '--', ...shell],
  ]);
  await waitFor(
    () => `the mounts: ${holder.stderr()}`,
    () => holder.stdout().includes('mounted'),
  );
  return holder;
}

function withUser(file: string, line: string): string {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((one) => !one.startsWith('systemd-resolve:')).join('\n') + line;
}
