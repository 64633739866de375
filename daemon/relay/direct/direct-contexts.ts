// The OpenSSL contexts of direct TLS connections, one for each way to configure them: a handful, kept as long as the thread.
import tls from 'node:tls';
import { createTlsContext, type TlsContext } from '../../sys/tls-descriptor.js';
import { authoritiesWith } from '../machine-authorities.js';
import { contextSettings, type ContextOptions } from '../tls-context.js';

const contexts = new Map<string, TlsContext | 'refused'>();

/** As `clientContext` for Node's TLS. Undefined where OpenSSL can't be called directly or does not take the settings. */
export function directContext(options: ContextOptions): TlsContext | undefined {
  const settings = contextSettings(options);
  if (options.authorities !== undefined) return createTlsContext(settings, [options.authorities]);
  const further = options.vouching === 'none' ? undefined : options.furtherAuthorities;
  const key = JSON.stringify([options.minVersion, options.group, options.vouching, further]);
  const known = contexts.get(key) ?? createTlsContext(settings, authoritiesOf(options)) ?? 'refused';
  contexts.set(key, known);
  return known === 'refused' ? undefined : known;
}

function authoritiesOf({ vouching, furtherAuthorities }: ContextOptions): readonly string[] {
  return vouching === 'none' ? [] : (authoritiesWith(furtherAuthorities) ?? tls.rootCertificates);
}
