// What a server proxy's session is told at its start, and what it tells about itself.
import type { Endpoint } from '../../../shared/endpoint.js';
import type { LegProtection } from '../../ftp/effects.js';
import type { ServerChannelOptions } from '../../security/safetp/server-channel.js';
import { TLS_WORDS } from '../../security/tls.js';

/** What a session of X-SafeTP1 is called wherever a person sees it. */
export const SAFETP_LABEL = 'X-SafeTP1 (legacy)';
export const SAFETP_CIPHERS = 'Triple-DES and HMAC-SHA1';

/** Nothing of it changes during a session. */
export interface ServePolicy {
  /** What plain clients may do: everything, nothing but AUTH, or that and no transfer in clear after it either. */
  readonly require: 'none' | 'secure' | 'secure-data';
  /** The AUTH words for TLS that are accepted, in upper case. */
  readonly words: readonly string[];
  /** All that FEAT and `504 … LIST=` name, in order of preference: the words, and X-SafeTP1 where it is offered. */
  readonly mechanisms: readonly string[];
  /** The protection of data under TLS when neither the AUTH word nor the client says anything. */
  readonly dataDefault: LegProtection;
}

/** What X-SafeTP1 needs on one connection. */
export type SafetpTerms = Omit<ServerChannelOptions, 'mechanisms' | 'requirePrivate'>;

export interface ServeContext {
  readonly policy: ServePolicy;
  readonly backend: Endpoint;
  /** The client's end of the control connection. */
  readonly client: Endpoint;
  /** TLS comes before the greeting. */
  readonly implicit: boolean;
  /** Undefined where X-SafeTP1 is not offered. */
  readonly safetp: SafetpTerms | undefined;
  /** EPSV is known not to work with this backend. */
  readonly noEpsv: boolean;
  /** A passive port of this backend was reached before. */
  readonly passiveProven: boolean;
}

/** What the log says of a session. */
export interface ServeView {
  /** The AUTH word, `implicit`, or undefined as long as nothing is encrypted. */
  readonly secured: string | undefined;
  readonly data: LegProtection;
  readonly transfers: number;
  /** Transfers that were reported as failed because their data did not come through whole. */
  readonly cut: number;
}

/** The level that an AUTH word brings with it: of TLS and TLS-C the default, of TLS-P and SSL private. */
export function levelOf(word: string, dataDefault: LegProtection): LegProtection {
  const row = TLS_WORDS.find((one) => one.word === word);
  return row?.data === 'private' ? 'private' : dataDefault;
}
