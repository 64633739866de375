// What the tests of a gateway share: a daemon with the rights of the package's unit, and a knock from any host.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { clientUid } from '../harness/account.js';
import { must, start, waitFor, type Running } from '../harness/command.js';
import { startDaemon, type Daemon } from '../harness/ftpseal.js';
import type { Lab } from '../harness/lab.js';

/** A router's; further addresses of the device stand for other devices. */
export const routerPolicy = `
[trust]
store = "file"
prompt_timeout = "30s"
[fallback]
cleartext = "refuse"
[divert]
forwarded = true
forwarded_from = ["10.21.0.0/24", "fd21::/64"]
forwarded_sessions = 6
workers = 2
on_failure = "closed"
[[client]]
match = "10.21.0.3"
mode = "leave"
[[client]]
match = "10.21.0.4"
mode = "refuse"
[[client]]
match = "10.21.0.5"
fallback = { cleartext = "allow" }
`;

/** Starts the daemon as the package's unit does: an ordinary user, CAP_NET_ADMIN and no other capability. */
export async function startHardened(
  lab: Lab,
  name: string,
  config: string,
  namespace: string,
): Promise<Daemon> {
  const folder = path.join(lab.folder, `daemon-${name}`);
  mkdirSync(folder, { recursive: true });
  await must({}, ['chown', '-R', '21021:21021', folder]);
  const caps = ['inh-caps', 'ambient-caps', 'bounding-set'].map((set) => `--${set}=-all,+net_admin`);
  const user = ['--reuid=21021', '--regid=21021', '--clear-groups', '--no-new-privs'];
  return startDaemon(lab, name, config, { namespace, wrap: ['setpriv', ...user, ...caps] });
}

export interface Knock {
  readonly namespace: string;
  /** The caller's own address. */
  readonly from: string;
  readonly to: string;
  readonly port: number;
  /** What is said after the greeting. */
  readonly line?: string;
}

const script = [
  'import socket, sys',
  'host, port, source, line = sys.argv[1:]',
  'try:',
  '  own = None if ":" in host and "." in source else (source, 0)',
  '  s = socket.create_connection((host, int(port)), 5, own)',
  'except ConnectionRefusedError: print("refused"); sys.exit()',
  'except TimeoutError: print("timeout"); sys.exit()',
  's.settimeout(40)',
  'try:',
  '  said = s.recv(1000)',
  '  if line and said:',
  '    s.sendall(line.encode() + b"\\r\\n"); said += b"\\n" + s.recv(1000)',
  '  print(said.decode() or "closed")',
  'except ConnectionResetError: print("reset")',
].join('\n');

/** One connection from a program of its own: `refused`, `timeout`, `closed`, `reset`, or what was said, a line each. */
export async function knockAt({ namespace, from, to, port, line }: Knock): Promise<string> {
  const argv = ['/usr/bin/python3', '-c', script, to, String(port), from, line ?? ''];
  return (await must({ namespace, uid: clientUid }, argv)).trim();
}

const impostorScript = [
  'import selectors, socket, sys, time',
  'waiting = selectors.DefaultSelector()',
  'for port in range(31100, 31132):',
  '  while True:',
  '    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)',
  '    try: s.bind(("0.0.0.0", port)); s.listen(); break',
  '    except OSError: s.close(); time.sleep(0.02)',
  '  waiting.register(s, selectors.EVENT_READ)',
  'print("has all", file=sys.stderr, flush=True)',
  'while True:',
  '  for key, _ in waiting.select():',
  '    caller, address = key.fileobj.accept()',
  '    print("caught", address, flush=True)',
  '    caller.sendall(b"220 come in\\r\\n")',
].join('\n');

/** Another user's program that takes the workers' usual ports as soon as they are free, greets, and prints whom it has caught. */
export async function startImpostor(namespace: string): Promise<Running> {
  const impostor = start({ namespace, uid: clientUid + 1 }, ['/usr/bin/python3', '-c', impostorScript]);
  await waitFor(
    () => `the impostor: ${impostor.stderr()}`,
    () => impostor.stderr().includes('has all'),
  );
  return impostor;
}

/** The addresses of the host behind the bridge; the bridge's own end in 1. */
export const box = { ipv4: '172.31.0.2', ipv6: 'fd31::2' };

/** A host behind a bridge, as Docker has them: the bridge with the router's address, a pair of devices, the router as the way out. */
export async function openBehind(router: string, name: string): Promise<void> {
  await must({}, ['ip', 'netns', 'add', name]);
  const atRouter = (...words: readonly string[]) => must({}, ['ip', '-n', router, ...words]);
  const inside = (...words: readonly string[]) => must({}, ['ip', '-n', name, ...words]);
  await atRouter('link', 'add', 'br0', 'type', 'bridge');
  await atRouter('addr', 'add', '172.31.0.1/24', 'dev', 'br0');
  await atRouter('-6', 'addr', 'add', 'fd31::1/64', 'dev', 'br0', 'nodad');
  await atRouter('link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  await atRouter('link', 'set', 'veth0', 'master', 'br0');
  for (const device of ['veth0', 'br0']) await atRouter('link', 'set', device, 'up');
  await inside('link', 'set', 'lo', 'up');
  await inside('addr', 'add', `${box.ipv4}/24`, 'dev', 'eth0');
  await inside('-6', 'addr', 'add', `${box.ipv6}/64`, 'dev', 'eth0', 'nodad');
  await inside('link', 'set', 'eth0', 'up');
  await inside('route', 'add', 'default', 'via', '172.31.0.1');
  await inside('-6', 'route', 'add', 'default', 'via', 'fd31::1');
  const forwarding =
    'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding';
  await must({ namespace: router }, ['sh', '-c', forwarding]);
}
