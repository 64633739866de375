// The certificate authorities that this machine trusts. Node brings its own list, which knows nothing of a company's own
// authority or of one that the administrator removed.
import { readFileSync } from 'node:fs';
import tls from 'node:tls';

/** Where the systems keep their bundle: Debian, Red Hat, SUSE, Alpine and BSD. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** The machine's bundle as PEM text; `undefined` where there is none, and then Node's own list is the best there is. */
export function readMachineAuthorities(): string | undefined {
  for (const path of BUNDLES) {
    const pem = readIfPresent(path);
    if (pem?.includes('-----BEGIN CERTIFICATE-----') === true) return pem;
  }
  return undefined;
}

/** The machine's authorities and `further` (PEM). Undefined: Node's own list. Naming any takes that list away, so it is named along. */
export function authoritiesWith(further: string | undefined): readonly string[] | undefined {
  const machine = readMachineAuthorities();
  if (further === undefined) return machine === undefined ? undefined : [machine];
  return machine === undefined ? [...tls.rootCertificates, further] : [machine, further];
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Absent or not readable for the proxy's user: the next place, or Node's list.
    return undefined;
  }
}
