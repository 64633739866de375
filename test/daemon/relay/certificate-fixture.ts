// Certificates for the tests of this folder, made with the openssl program in a folder of their own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
  readonly keyPath: string;
  readonly certPath: string;
}

export interface CertificateFixture {
  /** The authority that signed `server`. */
  readonly authority: string;
  /** For ftp.example.test, by the authority. */
  readonly server: KeyPair;
  /** Another key for the same name, signed by itself. */
  readonly impostor: KeyPair;
  readonly folder: string;
  readonly remove: () => void;
}

export const SERVER_NAME = 'ftp.example.test';

export function makeCertificates(): CertificateFixture {
  const folder = mkdtempSync(join(tmpdir(), 'ftpseal-relay-'));
  const authority = makeSelfSigned(folder, 'authority', 'Test authority', []);
  return {
    authority: authority.cert,
    server: makeSigned(folder, authority),
    impostor: makeSelfSigned(folder, 'impostor', SERVER_NAME, [
      '-addext',
      `subjectAltName=DNS:${SERVER_NAME}`,
    ]),
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

/** A self-signed certificate with further arguments of `openssl req`. */
export function makeSelfSigned(
  folder: string,
  file: string,
  name: string,
  extra: readonly string[],
  key: readonly string[] = EC_KEY,
): KeyPair {
  const pair = paths(folder, file);
  const out = ['-nodes', '-keyout', pair.keyPath, '-out', pair.certPath];
  openssl(['req', '-x509', ...key, ...out, '-days', '30', '-subj', `/CN=${name}`, ...extra]);
  return read(pair);
}

function makeSigned(folder: string, authority: KeyPair): KeyPair {
  const pair = paths(folder, 'server');
  const request = join(folder, 'server.csr');
  const extensions = join(folder, 'server.ext');
  writeFileSync(extensions, `subjectAltName=DNS:${SERVER_NAME},DNS:*.mirror.test,IP:192.0.2.7\n`);
  const out = ['-nodes', '-keyout', pair.keyPath, '-out', request];
  openssl(['req', ...EC_KEY, ...out, '-subj', '/O=Example/CN=ftp server']);
  const ca = ['-CA', authority.certPath, '-CAkey', authority.keyPath, '-set_serial', '7'];
  openssl([
    'x509',
    '-req',
    '-in',
    request,
    ...ca,
    '-days',
    '30',
    '-extfile',
    extensions,
    '-out',
    pair.certPath,
  ]);
  return read(pair);
}

interface Paths {
  readonly keyPath: string;
  readonly certPath: string;
}

function paths(folder: string, file: string): Paths {
  return { keyPath: join(folder, `${file}.key`), certPath: join(folder, `${file}.pem`) };
}

function read(pair: Paths): KeyPair {
  return { ...pair, key: readFileSync(pair.keyPath, 'utf8'), cert: readFileSync(pair.certPath, 'utf8') };
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
