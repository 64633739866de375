// What the tests of a gateway share: a daemon with the rights of the package's unit, and a knock from any host.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { clientUid } from '../harness/account.js';
import { must, start, waitFor, type Running } from '../harness/command.js';
import { startDaemon, type Daemon } from '../harness/ftpseal.js';
import type { Lab } from '../harness/lab.js';

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
