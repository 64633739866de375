// The server proxy in the lab: on the server's host, as an ordinary user, in front of a plain server on loopback.
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { serverUid } from './account.js';
import type { Certificate } from './certificates.js';
import { must, start, waitFor, type Running } from './command.js';
import { stageProgram } from './ftpseal.js';
import type { Lab } from './lab.js';
import type { ServerAddress } from './network.js';
import type { LabServer, ServerKind } from './server.js';

/** A running server proxy. */
export interface Serve {
  readonly address: ServerAddress;
  readonly certificate: Certificate;
  readonly folder: string;
  readonly running: Running;
  log(): string;
  stop(): Promise<void>;
}

let backends = 0;

/** A plain server at addresses that only its own host reaches. */
export async function startBackend(lab: Lab, kind: ServerKind): Promise<LabServer> {
  backends += 1;
  const address = { ipv4: `127.0.1.${backends}`, ipv6: `fd99::${backends}` };
  await must({}, ['ip', '-n', lab.network.srv, 'addr', 'add', `${address.ipv6}/128`, 'dev', 'lo', 'nodad']);
  return lab.server(kind, { address });
}

/** Starts `ftpseal serve` with these further lines in `[serve]`, on ports 21 and 990 of a fresh address. */
export async function startServe(
  lab: Lab,
  name: string,
  backend: string,
  lines: readonly string[] = [],
): Promise<Serve> {
  const program = await stageProgram(lab);
  const folder = path.join(lab.folder, `serve-${name}`);
  mkdirSync(folder, { recursive: true });
  // Its keys are made here.
  chownSync(folder, serverUid, serverUid);
  const certificate = await lab.certificate(`serve-${name}`);
  for (const file of [certificate.certificate, certificate.key, certificate.both])
    chownSync(file, serverUid, serverUid);
  const address = lab.network.nextAddress();
  const config = path.join(folder, 'config.toml');
  const both = (port: number): string => `["${address.ipv4}:${port}", "[${address.ipv6}]:${port}"]`;
  const given = lines.join('\n');
  const usual = [
    ['listen', both(21)],
    ['implicit', both(990)],
    ['backend', `"${backend}"`],
    ['certificate', `"${certificate.both}"`],
  ].filter(([key]) => !new RegExp(`^${key ?? ''} *=`, 'm').test(given));
  writeFileSync(
    config,
    ['[serve]', ...usual.map(([key, value]) => `${key ?? ''} = ${value ?? ''}`), given, ''].join('\n'),
  );
  const main = path.join(program, 'dist/daemon/main.js');
  const running = start({ namespace: lab.network.srv, uid: serverUid }, [
    ...[process.execPath, main, 'serve', '--config', config, '--log-level', 'debug'],
  ]);
  const log = (): string => running.stdout() + running.stderr();
  const life = { over: false };
  void running.ended.then(() => (life.over = true));
  await waitFor(
    () => `serve: ${log()}`,
    () => life.over || log().includes('ready'),
  );
  if (life.over) throw new Error(`serve did not start: ${log()}`);
  return { address, certificate, folder, running, log, stop: () => running.stop(8000) };
}
