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
import { bool, listOf, oneOf, range, table } from '../config-fields.js';

/** What plain clients may do: everything, nothing but AUTH, or that and no transfer in clear after it either. */
export const requirements = ['none', 'secure', 'secure-data'] as const;
export type Requirement = (typeof requirements)[number];

export const dataDefaults = ['clear', 'private'] as const;
export const serveMechanisms = ['TLS', 'TLS-C', 'TLS-P', 'SSL'] as const;
export const proxyProtocols = ['none', 'v1', 'v2'] as const;
export type ProxyProtocol = (typeof proxyProtocols)[number];

/** The server proxy's settings, every key resolved. Paths are as written. */
export interface ServeConfig {
  readonly listen: readonly Endpoint[];
  readonly implicit: readonly Endpoint[];
  readonly backend: Endpoint;
  readonly backendProxyProtocol: ProxyProtocol;
  /** The AUTH words that are accepted. */
  readonly mechanisms: readonly (typeof serveMechanisms)[number][];
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

const mechanisms = listOf(oneOf(serveMechanisms), 'mechanism names');

/** The keys as they are written; the defaults are what a server on the Internet should have. */
export const serveTable = table({
  listen: listOf(endpoint, 'addresses with port').default(() => [endpointOrFail('0.0.0.0:21')]),
  implicit: listOf(endpoint, 'addresses with port').default([]),
  backend: endpoint.default(() => endpointOrFail('127.0.0.1:2121')),
  backend_proxy_protocol: oneOf(proxyProtocols).default('none'),
  mechanisms: mechanisms.default([...serveMechanisms]),
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
});

/** What the schema gives, under the names that the program uses. */
export function toServeConfig(given: z.output<typeof serveTable>): ServeConfig {
  return {
    listen: given.listen,
    implicit: given.implicit,
    backend: given.backend,
    backendProxyProtocol: given.backend_proxy_protocol,
    mechanisms: given.mechanisms,
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

function endpointOrFail(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(`bad default endpoint ${text}`);
  return parsed;
}
