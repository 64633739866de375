// Certificates as openssl makes them, good ones and others.
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A certificate as openssl makes it: `args` go to `openssl req -x509`. */
export function makeCertificate(subject: string, args: readonly string[] = []): X509Certificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-certificate-'));
  try {
    const file = path.join(folder, 'certificate.pem');
    const key = args.includes('-newkey') ? [] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const own = ['-nodes', '-keyout', path.join(folder, 'key.pem'), '-out', file, '-subj', subject, '-utf8'];
    const days = args.includes('-days') || args.includes('-not_after') ? [] : ['-days', '400'];
    execFileSync('openssl', ['req', '-x509', ...key, ...own, ...days, ...args], { stdio: 'ignore' });
    return new X509Certificate(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
