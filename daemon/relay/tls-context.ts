// The OpenSSL contexts of the TLS client. Shared by all connections, because reading the machine's authorities takes
// milliseconds; sessions are not kept in them, so nothing leaks from one server to another.
import { constants } from 'node:crypto';
import tls from 'node:tls';
import type { TlsVersion } from '../../shared/policy.js';
import { readMachineAuthorities } from './machine-authorities.js';

const shared = new Map<TlsVersion, tls.SecureContext>();

/** The context for a lowest version; the machine's authorities are read once, unless others are given as PEM. */
export function clientContext(minVersion: TlsVersion, authorities?: string): tls.SecureContext {
  if (authorities !== undefined) return createContext(minVersion, authorities);
  const known = shared.get(minVersion);
  if (known !== undefined) return known;
  const context = createContext(minVersion, readMachineAuthorities());
  shared.set(minVersion, context);
  return context;
}

function createContext(minVersion: TlsVersion, authorities: string | undefined): tls.SecureContext {
  const isOld = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  // A second handshake could show another key after the verdict on the first.
  const options = constants.SSL_OP_NO_RENEGOTIATION;
  return tls.createSecureContext({
    minVersion,
    // OpenSSL 3 has TLS 1.0 and 1.1 at level 0 only, and servers of that age lack secure renegotiation (RFC 5746).
    ciphers: isOld ? `${tls.DEFAULT_CIPHERS}:@SECLEVEL=0` : tls.DEFAULT_CIPHERS,
    secureOptions: isOld ? options | constants.SSL_OP_LEGACY_SERVER_CONNECT : options,
    ...(authorities === undefined ? {} : { ca: authorities }),
  });
}
