// The OpenSSL contexts of direct TLS connections, one for each way to configure them: a handful, kept as long as the thread.
import { createTlsContext, type ContextSettings, type TlsContext } from '../../sys/tls-descriptor.js';

const contexts = new Map<string, TlsContext | 'refused'>();

/** Undefined where OpenSSL can't be called directly or does not take the settings. */
export function directContext(settings: ContextSettings): TlsContext | undefined {
  const key = `${settings.minVersion} ${settings.groups?.join(':') ?? ''}`;
  const known = contexts.get(key) ?? createTlsContext(settings) ?? 'refused';
  contexts.set(key, known);
  return known === 'refused' ? undefined : known;
}
