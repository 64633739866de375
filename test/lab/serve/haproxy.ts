// haproxy in front of a plain server: it takes connections only with a PROXY header, and logs for each whom the header named as client
// and as server.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { must, start, waitFor } from '../harness/command.js';
import type { Lab } from '../harness/lab.js';
import { unpacked, withLibraries, type LabServer } from '../harness/server.js';

export interface Haproxy {
  /** Where it listens: on the server's own addresses, for data connections go there. */
  readonly ipv4: string;
  readonly ipv6: string;
  log(): string;
  stop(): Promise<void>;
}

const port = 2100;

function settings(ipv4: string, ipv6: string): readonly string[] {
  const farm = (name: string, address: string): readonly string[] => [
    `listen ${name}`,
    `  bind ${address}:${port} accept-proxy`,
    `  server plain ${address}:21`,
  ];
  return [
    'global',
    '  log stdout format raw local0',
    'defaults',
    '  mode tcp',
    '  log global',
    // All three are what the header says.
    '  log-format "client=%ci port=%cp server=%fi ended=%ts"',
    '  timeout connect 5s',
    '  timeout client 60s',
    '  timeout server 60s',
    ...farm('four', ipv4),
    ...farm('six', `[${ipv6}]`),
    '',
  ];
}

export async function startHaproxy(lab: Lab, server: LabServer): Promise<Haproxy> {
  const { ipv4, ipv6 } = server.address;
  const file = path.join(lab.folder, 'haproxy.cfg');
  writeFileSync(file, settings(ipv4, ipv6).join('\n'));
  const program = path.join(unpacked('haproxy'), 'usr/sbin/haproxy');
  const running = start(
    { namespace: lab.network.srv },
    withLibraries('haproxy', [program, '-db', '-f', file]),
  );
  const log = (): string => running.stdout() + running.stderr();
  const life = { over: false };
  void running.ended.then(() => (life.over = true));
  await waitFor(log, async () => life.over || (await listens(lab.network.srv)));
  if (life.over) throw new Error(`haproxy did not start: ${log()}`);
  return { ipv4: `${ipv4}:${port}`, ipv6: `[${ipv6}]:${port}`, log, stop: () => running.stop() };
}

async function listens(namespace: string): Promise<boolean> {
  const table = await must({ namespace }, ['ss', '-Hltn', `sport = :${port}`]);
  return table.trim().split('\n').length === 2;
}
