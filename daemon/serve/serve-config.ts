// `[serve]` of the configuration: its keys, defaults, and the sentence for each wrong value.
import { z } from 'zod';
import {
  familyOf,
  parseEndpoint,
  parseIpAddress,
  type Endpoint,
  type IpAddress,
  type PortRange,
} from '../../shared/endpoint.js';
import { isBrand } from '../security/safetp/brand.js';
import { bool, listOf, oneOf, range, table } from '../config-fields.js';

/** What plain clients may do: everything, nothing but AUTH, or that and no transfer in clear after it either. */
export const requirements = ['none', 'secure', 'secure-data'] as const;
export type Requirement = (typeof requirements)[number];

export const dataDefaults = ['clear', 'private'] as const;
export const tlsWords = ['TLS', 'TLS-C', 'TLS-P', 'SSL'] as const;
export const serveMechanisms = [...tlsWords, 'X-SafeTP1'] as const;
export const elgamalSizes = [768, 1024, 2048] as const;
export const proxyProtocols = ['none', 'v1', 'v2'] as const;
export type ProxyProtocol = (typeof proxyProtocols)[number];

/** X-SafeTP1 as it is offered. */
export interface SafetpSettings {
  /** Made at the first start. */
  readonly keyFile: string;
  /** What the server calls itself; undefined: after the machine. */
  readonly brand: string | undefined;
  /** Bits of the smallest client key that is taken. */
  readonly elgamalMin: (typeof elgamalSizes)[number];
}

/** The server proxy's settings, every key resolved. Paths are as written. */
export interface ServeConfig {
  readonly listen: readonly Endpoint[];
  readonly implicit: readonly Endpoint[];
  readonly backend: Endpoint;
  readonly backendProxyProtocol: ProxyProtocol;
  /** The AUTH words that are accepted, in the order in which they are named to clients. */
  readonly mechanisms: readonly (typeof serveMechanisms)[number][];
  /** Undefined where X-SafeTP1 is not offered. */
  readonly safetp: SafetpSettings | undefined;
  readonly require: Requirement;
  readonly dataDefault: (typeof dataDefaults)[number];
  /** The first is shown to clients that name no server or an unknown one. */
  readonly certificates: readonly string[];
  /** Files with keys; a key may also stand in its certificate's file. */
  readonly keys: readonly string[];
  /** OpenSSL's list; undefined: Node's own. */
  readonly ciphers: string | undefined;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly clientCa: string | undefined;
  readonly requireClientCertificate: boolean;
  readonly requireSessionReuse: boolean;
  /** What a 227 names in place of this machine's own address. */
  readonly publicAddress: IpAddress | undefined;
  readonly passivePorts: PortRange | undefined;
  readonly maxSessions: number;
}

const endpoint = z.unknown().transform((value, context): Endpoint => {
  const parsed = typeof value === 'string' ? parseEndpoint(value) : undefined;
  if (parsed !== undefined) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'must be an address with port, such as "0.0.0.0:21" or "[::]:21"',
  });
  return z.NEVER;
});

const ipv4 = z.unknown().transform((value, context): IpAddress => {
  const parsed = parseIpAddress(value);
  if (parsed !== undefined && familyOf(parsed) === 4) return parsed;
  context.addIssue({ code: 'custom', message: 'must be an IPv4 address, such as "192.0.2.1"' });
  return z.NEVER;
});

const file = z
  .string({ error: 'must be the path of a file' })
  .min(1, { error: 'must be the path of a file' });

/** One path, or a list of them. */
const files = z
  .union([file.transform((one): readonly string[] => [one]), z.array(file).min(1).max(64)], {
    error: 'must be the path of a file, or a list of them',
  })
  .readonly();

const BRAND_RULE =
  'must be 1 to 256 bytes of readable text, without control characters and characters that hide or reorder others';

const mechanisms = listOf(oneOf(serveMechanisms), 'mechanism names');

/** The keys as they are written; the defaults are what a server on the Internet should have. */
export const serveTable = table({
  listen: listOf(endpoint, 'addresses with port').default(() => [endpointOrFail('0.0.0.0:21')]),
  implicit: listOf(endpoint, 'addresses with port').default([]),
  backend: endpoint.default(() => endpointOrFail('127.0.0.1:2121')),
  backend_proxy_protocol: oneOf(proxyProtocols).default('none'),
  mechanisms: mechanisms.optional(),
  require: oneOf(requirements).default('secure'),
  data_default: oneOf(dataDefaults).default('clear'),
  certificate: files.default([]),
  key: files.default([]),
  ciphers: z
    .string({ error: 'must be a list of ciphers as OpenSSL writes it' })
    .min(1, { error: 'must name at least one cipher' })
    .max(4096)
    .optional(),
  min_version: oneOf(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  client_ca: file.optional(),
  require_client_certificate: bool.default(false),
  safetp_key: file.optional(),
  elgamal_min: z
    .union(
      elgamalSizes.map((size) => z.literal(size)),
      { error: 'must be 768, 1024 or 2048' },
    )
    .default(1024),
  brand: z.string({ error: BRAND_RULE }).refine(isBrand, { error: BRAND_RULE }).optional(),
  require_session_reuse: bool.default(true),
  public_address: ipv4.optional(),
  passive_ports: range(16).optional(),
  max_sessions: z
    .number({ error: 'must be a number from 1 to 100000' })
    .int({ error: 'must be a whole number' })
    .min(1, { error: 'must be 1 or more' })
    .max(100_000, { error: 'must be 100000 or less' })
    .default(1000),
}).superRefine((given, context) => {
  if (given.require_client_certificate && given.client_ca === undefined) {
    const message = 'needs client_ca: the file with the authorities that may vouch for clients';
    context.addIssue({ code: 'custom', path: ['require_client_certificate'], message });
  }
  const isNamed = given.mechanisms?.includes('X-SafeTP1') === true;
  if (isNamed && given.safetp_key === undefined) {
    const message = 'names X-SafeTP1, which needs safetp_key: the file that its key is kept in';
    context.addIssue({ code: 'custom', path: ['mechanisms'], message });
  }
  if (given.require_client_certificate && (isNamed || given.safetp_key !== undefined)) {
    const message = 'can’t be kept with X-SafeTP1, which knows no client certificates; leave safetp_key out';
    context.addIssue({ code: 'custom', path: ['require_client_certificate'], message });
  }
});

/** What the schema gives, under the names that the program uses. */
export function toServeConfig(given: z.output<typeof serveTable>): ServeConfig {
  const { safetp_key: keyFile, brand, elgamal_min: elgamalMin } = given;
  const mechanisms: ServeConfig['mechanisms'] =
    given.mechanisms ?? (keyFile === undefined ? tlsWords : serveMechanisms);
  const isOffered = keyFile !== undefined && mechanisms.includes('X-SafeTP1');
  return {
    listen: given.listen,
    implicit: given.implicit,
    backend: given.backend,
    backendProxyProtocol: given.backend_proxy_protocol,
    mechanisms,
    safetp: isOffered ? { keyFile, brand, elgamalMin } : undefined,
    require: given.require,
    dataDefault: given.data_default,
    certificates: given.certificate,
    keys: given.key,
    ciphers: given.ciphers,
    minVersion: given.min_version,
    clientCa: given.client_ca,
    requireClientCertificate: given.require_client_certificate,
    requireSessionReuse: given.require_session_reuse,
    publicAddress: given.public_address,
    passivePorts: given.passive_ports,
    maxSessions: given.max_sessions,
  };
}

/** Those of the AUTH words that are answered with TLS. */
export function tlsWordsOf(words: ServeConfig['mechanisms']): readonly string[] {
  return tlsWords.filter((word) => words.includes(word));
}

/** Whether any connection may get to TLS, which takes a certificate. */
export function offersTls({ mechanisms: words, implicit }: ServeConfig): boolean {
  return implicit.length > 0 || tlsWordsOf(words).length > 0;
}

function endpointOrFail(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(`bad default endpoint ${text}`);
  return parsed;
}
