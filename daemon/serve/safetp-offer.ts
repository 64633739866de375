// What the server proxy offers with X-SafeTP1: its key, made when it is first needed, and which client keys it takes.
import { hostname } from 'node:os';
import { Fault } from '../../shared/fault.js';
import { familyOf, type IpAddress } from '../../shared/endpoint.js';
import { isBrand } from '../security/safetp/brand.js';
import { formatKeyText } from '../security/safetp/key-text.js';
import { systemRandom } from '../security/safetp/native/random.js';
import type { ServerKey } from '../security/safetp/server.js';
import type { Log } from '../sys/log.js';
import { loadServerKey } from '../sys/safetp-key-file.js';
import type { ServeConfig } from './serve-config.js';
import type { SafetpTerms } from './session/policy.js';

/** One key for all connections of a process. */
export interface SafetpOffer {
  readonly key: ServerKey;
  /** For a connection that reached this address. */
  readonly terms: (own: IpAddress) => SafetpTerms;
}

/** Undefined where it is not offered. Rejects with a Fault of code `config` or `key`. */
export async function openSafetpOffer(config: ServeConfig, log: Log): Promise<SafetpOffer | undefined> {
  const { safetp } = config;
  if (safetp === undefined) return undefined;
  const key = await loadKey(safetp, () => {
    log.info('making a key for X-SafeTP1; this can take a few seconds', { file: safetp.keyFile });
  });
  const { brand } = key.branded;
  log.info('X-SafeTP1 (legacy) is offered', { name: brand, key: key.branded.key.fingerprint });
  return {
    key,
    terms: (own) => ({
      key,
      address: isTranslated(config, own) ? '*' : own,
      groups: { minBits: safetp.elgamalMin, otherPrimes: 'refuse' },
      random: systemRandom,
    }),
  };
}

/** The key as clients can be given it on another way than through the server, with its fingerprint above. Makes a missing one. */
export async function describeSafetpKey(config: ServeConfig): Promise<string> {
  if (config.safetp === undefined) {
    throw new Fault(
      'usage',
      'X-SafeTP1 is not offered: set serve.safetp_key to the file that its key is to be kept in.',
    );
  }
  const { branded } = await loadKey(config.safetp, () => undefined);
  return `Fingerprint: ${branded.key.fingerprint}\n\n${formatKeyText(branded)}`;
}

function loadKey(
  { keyFile, brand }: NonNullable<ServeConfig['safetp']>,
  onMaking: () => void,
): Promise<ServerKey> {
  const name = hostname();
  return loadServerKey({ path: keyFile, brand: brand ?? (isBrand(name) ? name : 'ftpseal'), onMaking });
}

/** Behind address translation a client has dialled another address than the one that its connection reached. */
function isTranslated({ publicAddress }: ServeConfig, own: IpAddress): boolean {
  return publicAddress !== undefined && publicAddress !== own && familyOf(own) === 4;
}
