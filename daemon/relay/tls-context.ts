// The OpenSSL contexts of the TLS client. Shared by all connections, because reading the machine's authorities takes
// milliseconds; sessions are not kept in them, so nothing leaks from one server to another.
import { constants } from 'node:crypto';
import tls from 'node:tls';
import type { TlsVersion } from '../../shared/policy.js';
import type { ContextSettings } from '../sys/tls-descriptor.js';
import { authoritiesWith } from './machine-authorities.js';

/** By the further authorities, of which a process has one text or none, then by the rest. */
const shared = new Map<string | undefined, Map<string, tls.SecureContext>>();

/** Key exchange groups in the order of OpenSSL's own preference. */
const groups = ['X25519', 'prime256v1', 'X448', 'secp521r1', 'secp384r1'] as const;
export type KeyExchangeGroup = (typeof groups)[number];

/** The group by the name that OpenSSL reports; undefined for one that is not offered by preference. */
export function parseGroup(name: unknown): KeyExchangeGroup | undefined {
  return groups.find((group) => group === name);
}

export interface ContextOptions {
  readonly minVersion: TlsVersion;
  /** PEM certificates in place of the machine's authorities. */
  readonly authorities?: string | undefined;
  /** PEM certificates beside the machine's authorities. */
  readonly furtherAuthorities?: string | undefined;
  /** No authority is asked: for peers that are told by a resumed session or by their key alone. */
  readonly vouching?: 'none' | undefined;
  /** The group to offer first: one that the server takes saves a round trip and a second key (HelloRetryRequest). */
  readonly group?: KeyExchangeGroup | undefined;
}

/** The context for these options; the machine's authorities are read once, unless others are given. */
export function clientContext(options: ContextOptions): tls.SecureContext {
  if (options.authorities !== undefined) return createContext(options, [options.authorities]);
  const isVouched = options.vouching !== 'none';
  const further = isVouched ? options.furtherAuthorities : undefined;
  const contexts = shared.get(further) ?? new Map<string, tls.SecureContext>();
  shared.set(further, contexts);
  const key = `${options.minVersion} ${options.group ?? ''} ${options.vouching ?? ''}`;
  const known = contexts.get(key);
  if (known !== undefined) return known;
  const context = createContext(options, isVouched ? authoritiesWith(further) : []);
  contexts.set(key, context);
  return context;
}

function createContext(
  options: ContextOptions,
  authorities: readonly string[] | undefined,
): tls.SecureContext {
  const { minVersion, ciphers, secureOptions, groups: order } = contextSettings(options);
  return tls.createSecureContext({
    minVersion,
    ciphers,
    secureOptions,
    ...(order === undefined ? {} : { ecdhCurve: order.join(':') }),
    ...(authorities === undefined ? {} : { ca: [...authorities] }),
  });
}

/** What every TLS client context has, whoever makes it. */
export function contextSettings({
  minVersion,
  group,
}: Pick<ContextOptions, 'minVersion' | 'group'>): ContextSettings {
  const isOld = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  // A second handshake could show another key after the verdict on the first.
  const options = constants.SSL_OP_NO_RENEGOTIATION;
  return {
    minVersion,
    // OpenSSL 3 has TLS 1.0 and 1.1 at level 0 only, and servers of that age lack secure renegotiation (RFC 5746).
    ciphers: isOld ? `${tls.DEFAULT_CIPHERS}:@SECLEVEL=0` : tls.DEFAULT_CIPHERS,
    secureOptions: isOld ? options | constants.SSL_OP_LEGACY_SERVER_CONNECT : options,
    groups: group === undefined ? undefined : [group, ...groups.filter((name) => name !== group)],
  };
}
