// Files with as many known keys as are asked for: all count for everybody, the server's own is the last.
import { createHash } from 'node:crypto';
import type { Certificate } from '../../lab/harness/certificates.js';

/** The store of the daemon itself, and the folder of the administrator. */
export const stores = ['keys.json', 'keys.d'] as const;
export type StoreName = (typeof stores)[number];

/** A file of keys.d may have 8 MiB. */
const perFile = 5000;

interface Server {
  readonly address: string;
  readonly certificate: Certificate;
}

function placeOf(index: number, count: number, { address }: Server): Readonly<Record<string, unknown>> {
  const other = `10.${100 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  return { owner: { kind: 'machine' }, address: index === count - 1 ? address : other, port: 21 };
}

function pinOf(index: number, count: number, server: Server): Readonly<Record<string, unknown>> {
  const digest = createHash('sha256').update(String(index)).digest('base64').replace('=', '');
  return {
    ...placeOf(index, count, server),
    fingerprint: index === count - 1 ? server.certificate.fingerprint : `SHA256:${digest}`,
    mechanism: 'TLS',
    firstSeen: 1_700_000_000_000,
    lastUsed: 1_700_000_000_000 + index,
    count: 1,
    revoked: false,
    comment: 'accepted at first contact',
  };
}

function fileOf(pins: readonly unknown[], secured: readonly unknown[]): string {
  return JSON.stringify({ version: 1, pins, secured, cleartext: [] });
}

/** The daemon's own file: besides each key that its server was secure, as every session leaves it. */
export function keyStore(count: number, server: Server): string {
  const indices = Array.from({ length: count }, (_, index) => index);
  const secured = indices.map((index) => ({ ...placeOf(index, count, server), lastSecured: index + 1 }));
  return fileOf(
    indices.map((index) => pinOf(index, count, server)),
    secured,
  );
}

/** The administrator's files, by name. */
export function keysFolder(count: number, server: Server): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (let from = 0; from < count; from += perFile) {
    const length = Math.min(perFile, count - from);
    const pins = Array.from({ length }, (_, index) => pinOf(from + index, count, server));
    files.set(`fleet-${String(from).padStart(6, '0')}.json`, fileOf(pins, []));
  }
  return files;
}
