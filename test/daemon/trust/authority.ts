// An authority and certificates from it, made with the openssl command line.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

function openssl(argv: readonly string[]): void {
  execFileSync('openssl', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
}

const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes `<folder>/ca.pem` and its key; returns the certificate's PEM text. */
export function makeAuthority(folder: string): string {
  const file = join(folder, 'ca.pem');
  openssl(['req', '-x509', ...fresh, '-keyout', join(folder, 'ca.key'), '-out', file, '-subj', '/CN=Lab CA']);
  return readFileSync(file, 'utf8');
}

/** A certificate of that authority for these names; PEM text. */
export function issue(folder: string, name: string, names: readonly string[]): string {
  const [request, file, extensions] = ['csr', 'pem', 'ext'].map((end) => join(folder, `${name}.${end}`));
  const alternative = names.map((one) => `DNS:${one}`).join(',');
  writeFileSync(extensions!, `subjectAltName=${alternative}\n`);
  openssl([
    'req',
    '-new',
    ...fresh,
    '-keyout',
    join(folder, `${name}.key`),
    '-out',
    request!,
    '-subj',
    '/CN=x',
  ]);
  const by = ['-CA', join(folder, 'ca.pem'), '-CAkey', join(folder, 'ca.key'), '-CAcreateserial'];
  openssl(['x509', '-req', '-in', request!, ...by, '-days', '9', '-extfile', extensions!, '-out', file!]);
  return readFileSync(file!, 'utf8');
}
