// Keys and certificates for the lab's servers, made with the openssl command line.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { must } from './command.js';

/** A server's identity as files: certificate, key, and both in one file. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
  /** SHA-256 of the public key as ftpseal writes it, computed by openssl and not by ftpseal. */
  readonly fingerprint: string;
}

const fresh = ['-newkey', 'rsa:2048', '-nodes'];

/** Makes an authority in `folder`; returns the file with its certificate. */
export async function makeAuthority(folder: string): Promise<string> {
  const file = path.join(folder, 'authority.pem');
  const made = [...fresh, '-keyout', path.join(folder, 'authority.key'), '-out', file];
  await must({}, ['openssl', 'req', '-x509', ...made, '-days', '30', '-subj', '/CN=Lab authority']);
  return file;
}

/** Makes a certificate of the authority in `folder`, with a fresh key, for these names. */
export async function makeIssued(
  folder: string,
  name: string,
  names: readonly string[],
): Promise<Certificate> {
  const [certificate, key, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((end) =>
    path.join(folder, `${name}.${end}`),
  ) as [string, string, string, string];
  writeFileSync(extensions, `subjectAltName=${names.map((one) => `DNS:${one}`).join(',')}\n`);
  await must({}, ['openssl', 'req', ...fresh, '-keyout', key, '-out', request, '-subj', `/CN=${name}`]);
  const authority = path.join(folder, 'authority');
  const by = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '9'];
  await must({}, [
    ...['openssl', 'x509', '-req', '-in', request, ...by, '-extfile', extensions],
    ...['-out', certificate],
  ]);
  return described(folder, name);
}

/** Makes a self-signed certificate with a fresh RSA key in `folder`. */
export async function makeCertificate(folder: string, name: string): Promise<Certificate> {
  const certificate = path.join(folder, `${name}.pem`);
  const made = [...fresh, '-keyout', path.join(folder, `${name}.key`), '-out', certificate];
  const subject = ['-days', '30', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}.test`];
  await must({}, ['openssl', 'req', '-x509', ...made, ...subject]);
  return described(folder, name);
}

async function described(folder: string, name: string): Promise<Certificate> {
  const certificate = path.join(folder, `${name}.pem`);
  const key = path.join(folder, `${name}.key`);
  const both = path.join(folder, `${name}.both.pem`);
  writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'), { mode: 0o600 });
  const hash =
    'openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | openssl base64';
  const digest = await must({}, ['sh', '-c', hash, 'sh', certificate]);
  return { certificate, key, both, fingerprint: `SHA256:${digest.trim().replace(/=+$/, '')}` };
}
