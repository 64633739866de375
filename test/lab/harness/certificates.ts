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

/** Makes a self-signed certificate with a fresh RSA key in `folder`. */
export async function makeCertificate(folder: string, name: string): Promise<Certificate> {
  const certificate = path.join(folder, `${name}.pem`);
  const key = path.join(folder, `${name}.key`);
  const both = path.join(folder, `${name}.both.pem`);
  const fresh = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate];
  const subject = ['-days', '30', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}.test`];
  await must({}, ['openssl', 'req', '-x509', ...fresh, ...subject]);
  writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'), { mode: 0o600 });
  const hash =
    'openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | openssl base64';
  const digest = await must({}, ['sh', '-c', hash, 'sh', certificate]);
  return { certificate, key, both, fingerprint: `SHA256:${digest.trim().replace(/=+$/, '')}` };
}
