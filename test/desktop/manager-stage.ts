// A machine that is in use, for looking at the manager's pages: sessions, servers, keys and a history.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseIpAddress, parsePort } from '../../shared/endpoint.js';
import type { SessionState } from '../../daemon/pool/messages.js';
import { sessionState } from '../daemon/ipc/world.js';
import { at, key, pin } from '../daemon/trust/fixture.js';
import { makeCertificate } from './certificates.js';
import { cleartextQuestion, questionOf, type Ground } from './manager-ground.js';

const day = 86_400_000;

/** A key of the administrator's for everybody. */
async function giveKeys({ world }: Ground): Promise<void> {
  const folder = path.join(world.folder, 'keys.d');
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(path.join(folder, 'accounting.example.com.pem'), key('F'), { mode: 0o644 });
  await world.fixed.load();
}

export async function furnish(ground: Ground): Promise<void> {
  const { world } = ground;
  const now = Date.now();
  const own = { owner: { kind: 'user', uid: 1000 } } as const;
  await world.store.putPin(
    pin({
      ...own,
      ...at('192.0.2.10'),
      name: 'files.example.com',
      fingerprint: key('K'),
      firstSeen: now - 420 * day,
      lastUsed: now - 60_000,
      count: 1284,
      caValidFor: 'files.example.com',
      comment: 'vouched for by a certificate authority',
    }),
  );
  await world.store.putPin(
    pin({
      ...own,
      ...at('198.51.100.7', 2121),
      label: 'Backup in the cellar',
      fingerprint: key('q'),
      firstSeen: now - 90 * day,
      lastUsed: now - 2 * day,
      count: 87,
      comment: 'trusted by a person',
    }),
  );
  await world.store.putPin(
    pin({
      ...own,
      ...at('203.0.113.5'),
      name: 'old.example.net',
      fingerprint: key('z'),
      firstSeen: now - 900 * day,
      lastUsed: now - 300 * day,
      count: 3,
      revoked: true,
      comment: 'accepted at first contact',
    }),
  );
  await world.store.allowCleartext({
    ...own,
    ...at('192.0.2.77'),
    name: 'printer.lan',
    since: now - 30 * day,
  });
  await giveKeys(ground);
  for (const state of sessions(now)) world.sessions.put(0, state);
  await makeHistory(ground);
}

function sessions(now: number): readonly SessionState[] {
  const to = (address: string, name: string | undefined, port = 21) => ({
    server: { address: parseIpAddress(address)!, port: parsePort(port)! },
    client: at('192.0.2.9', 40_000),
    uid: 1000,
    ...(name === undefined ? {} : { name }),
  });
  const tls = { mechanism: 'TLS', protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  return [
    sessionState('0-1', 1000, {
      connection: to('192.0.2.10', 'files.example.com'),
      startedAt: now - 754_000,
      ...tls,
      bytesDown: 734_003_200,
      bytesUp: 0,
      transfers: 3,
    }),
    sessionState('0-2', 1000, {
      connection: to('198.51.100.7', undefined, 2121),
      startedAt: now - 42_000,
      ...tls,
      protocol: 'TLSv1.2',
      cipher: 'ECDHE-RSA-AES256-GCM-SHA384',
      bytesUp: 18_874_368,
      bytesDown: 2_048,
      transfers: 12,
    }),
    sessionState('0-3', 1000, {
      connection: to('192.0.2.77', 'printer.lan'),
      startedAt: now - 12_000,
      protection: 'cleartext',
      data: 'clear',
      bytesUp: 412,
      transfers: 1,
      warning: 'not encrypted: printer.lan offers no encryption; password and files can be read on the way',
    }),
  ];
}

/** The bytes of the sessions go up, as while files are on their way. */
export function move(ground: Ground, down: number, up: number): void {
  for (const state of ground.world.sessions.list()) {
    if (state.protection !== 'secured') continue;
    const isDownload = state.bytesDown > state.bytesUp;
    ground.world.sessions.put(0, {
      ...state,
      bytesDown: state.bytesDown + (isDownload ? down : 0),
      bytesUp: state.bytesUp + (isDownload ? 0 : up),
    });
  }
}

async function makeHistory(ground: Ground): Promise<void> {
  const certificate = makeCertificate('/CN=ftp.example.org');
  const decision = ground.judge(questionOf(certificate), {
    server: at('192.0.2.31'),
    name: 'ftp.example.org',
  });
  const id = await ground.questionAbout('192.0.2.31');
  await ground.world.trust.answer(id, 'always');
  await decision;
  const clear = ground.judge(cleartextQuestion, { server: at('192.0.2.32') });
  await ground.world.trust.answer(await ground.questionAbout('192.0.2.32'), 'refuse');
  await clear;
  await ground.judge(cleartextQuestion, { server: at('192.0.2.10'), name: 'files.example.com' });
  await ground.world.trust.answer(await ground.questionAbout('192.0.2.10'), 'refuse');
  await ground.link.request('keys.add', {
    fingerprint: key('n'),
    addresses: ['2001:db8::15'],
    port: 21,
    name: 'mirror.example.org',
    revoked: false,
    comment: 'from the owner’s letter',
  });
}
