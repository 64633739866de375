// How the configuration file is written: its tables, keys, defaults and the sentence for each wrong value.
// `configFileSchema` turns what the TOML reader gives into a Config.
import path from 'node:path';
import { z } from 'zod';
import { parsePort, parsePortRange, type PortRange } from '../shared/endpoint.js';
import { clientModes, type ClientRule, type Net } from './client-rule.js';
import { bool, listOf, oneOf, range, table } from './config-fields.js';
import {
  acceptOrAsk,
  cleartextPolicies,
  dataProtections,
  hostModes,
  mechanismNames,
  nameLookups,
  redirectLayers,
  tlsVersions,
  unknownKeyPolicies,
  type Config,
  type HostRule,
} from './config.js';
import { parseHostMatch, type HostMatch } from './host-match.js';
import { serveTable } from './serve/serve-config.js';

const hours24 = 24 * 3600 * 1000;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const port = z.unknown().transform((value, context) => {
  const parsed = typeof value === 'number' ? parsePort(value) : undefined;
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a port number from 1 to 65535' });
  return z.NEVER;
});

/** `"45s"`, `"2m"`, `"1500ms"`, `"1h"` in milliseconds. */
const duration = z.unknown().transform((value, context) => {
  const match = typeof value === 'string' ? /^([0-9]{1,9})(ms|s|m|h)$/.exec(value) : null;
  const ms = Number(match?.[1]) * (unitMs[match?.[2] ?? ''] ?? NaN);
  if (ms >= 1 && ms <= hours24) return ms;
  context.addIssue({
    code: 'custom',
    message: 'must be a duration such as "45s", "2m" or "1h", at most 24 h',
  });
  return z.NEVER;
});

const user = z.union([z.string().min(1).max(64), z.number().int().min(0).max(4_294_967_294)], {
  error: 'must be a user name or a uid',
});

const hostMatch = z.unknown().transform((value, context): HostMatch => {
  const parsed = typeof value === 'string' ? parseHostMatch(value) : undefined;
  if (parsed !== undefined) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'must be a name, "*.domain", an address or a block such as "192.0.2.0/24", with :port if wanted',
  });
  return z.NEVER;
});

const exemptHost = z.unknown().transform((value, context): HostMatch => {
  const parsed = typeof value === 'string' ? parseHostMatch(value) : undefined;
  if (parsed !== undefined && parsed.kind !== 'wildcard' && parsed.port === undefined) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'must be a name, an address or a block such as "192.0.2.0/24", without a port',
  });
  return z.NEVER;
});

/** Private addresses (RFC 1918, RFC 4193), as those behind a router and those of containers are. */
const privateNets = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'];

const net = z.unknown().transform((value, context): Net => {
  const parsed = typeof value === 'string' ? parseHostMatch(value) : undefined;
  if (parsed?.kind === 'net' && parsed.port === undefined)
    return { address: parsed.address, prefix: parsed.prefix };
  context.addIssue({
    code: 'custom',
    message: 'must be an address or a block such as "192.168.20.0/24", without a port',
  });
  return z.NEVER;
});

const mechanisms = listOf(oneOf(mechanismNames), 'mechanism names').min(1, {
  error: 'must name at least one mechanism; to use none, set mode = "plain" for the host',
});

const absolutePath = z
  .string({ error: 'must be the path of a file' })
  .refine((text) => text === '' || path.isAbsolute(text), {
    error: 'must be an absolute path, or "" for none',
  });

const isWindows = process.platform === 'win32';
const defaultLayer = isWindows ? 'windivert' : process.platform === 'darwin' ? 'pf' : 'nftables';

const divertTable = table({
  layer: oneOf(redirectLayers).default(defaultLayer),
  ports: listOf(port, 'port numbers')
    .min(1, { error: 'must hold at least one port' })
    .default(() => [parsePortOrFail(21)]),
  exempt_users: listOf(user, 'user names or uids').default([]),
  exempt_hosts: listOf(exemptHost, 'names, addresses or blocks').default([]),
  data_ports: range(64).default(() => rangeOrFail('21210-23209')),
  // Outside what the system gives to programs: 32768-60999 on Linux, 49152-65535 on Windows.
  source_ports: range(256).default(() => rangeOrFail(isWindows ? '44000-47999' : '61000-64999')),
  active_ports: range(64).default(() => rangeOrFail('23300-24299')),
  workers: z
    .number({ error: 'must be a number from 0 (one per core) to 64' })
    .int({ error: 'must be a whole number' })
    .min(0, { error: 'must be 0 (one per core) or more' })
    .max(64, { error: 'must be 64 or less' })
    .default(0),
  forwarded: bool.default(false),
  forwarded_from: listOf(net, 'addresses or blocks').prefault(() => [...privateNets]),
  forwarded_sessions: z
    .number({ error: 'must be a number from 1 to 512' })
    .int({ error: 'must be a whole number' })
    .min(1, { error: 'must be 1 or more' })
    .max(512, { error: 'must be 512 or less' })
    .default(16),
  on_failure: oneOf(['open', 'closed']).default('open'),
});

const hostTable = table({
  match: hostMatch,
  mode: oneOf(hostModes).default('explicit'),
  trust: table({
    unknown: oneOf(unknownKeyPolicies).optional(),
    ca_valid: oneOf(acceptOrAsk).optional(),
    replicate: oneOf(acceptOrAsk).optional(),
    prompt_timeout: duration.optional(),
  }).default({}),
  fallback: table({ cleartext: oneOf(cleartextPolicies).optional() }).default({}),
  data: table({
    protection: oneOf(dataProtections).optional(),
    allow_foreign_address: bool.optional(),
  }).default({}),
  tls: table({
    min_version: oneOf(tlsVersions).optional(),
    mechanisms: mechanisms.optional(),
  }).default({}),
});

const clientTable = table({
  match: net,
  mode: oneOf(clientModes).default('secure'),
  fallback: table({ cleartext: oneOf(cleartextPolicies).optional() }).default({}),
});

const fileTable = table({
  divert: divertTable.prefault({}),
  trust: table({
    unknown: oneOf(unknownKeyPolicies).default('ask'),
    ca_valid: oneOf(acceptOrAsk).default('accept'),
    replicate: oneOf(acceptOrAsk).default('accept'),
    prompt_timeout: duration.default(45_000),
    store: oneOf(['keychain', 'file']).default('keychain'),
    names: listOf(oneOf(nameLookups), 'sources of names').default(['resolver', 'certificate']),
    ca_bundle: absolutePath.default(''),
  }).prefault({}),
  users: table({ may_pause: bool.default(true), may_trust: bool.default(true) }).prefault({}),
  fallback: table({ cleartext: oneOf(cleartextPolicies).default('warn') }).prefault({}),
  data: table({
    protection: oneOf(dataProtections).default('private'),
    allow_foreign_address: bool.default(false),
  }).prefault({}),
  tls: table({
    // Older versions are a matter of one old server, so only a [[host]] may ask for them.
    min_version: oneOf(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
    mechanisms: mechanisms.default(['TLS', 'X-SafeTP1']),
  }).prefault({}),
  host: z.array(hostTable, { error: 'must be written as [[host]]' }).max(4096).default([]),
  client: z.array(clientTable, { error: 'must be written as [[client]]' }).max(1024).default([]),
  // For `ftpseal serve`; checked here so that one file can hold both.
  serve: serveTable.optional(),
});

/** What the TOML reader gives, checked, with every default filled in. Issues carry the path of the key. */
export const configFileSchema = fileTable.superRefine(checkRanges).transform(toConfig);

type FileTable = z.output<typeof fileTable>;

function toConfig(file: FileTable): Config {
  return {
    divert: {
      layer: file.divert.layer,
      ports: [...new Set(file.divert.ports)],
      exemptUsers: file.divert.exempt_users,
      exemptHosts: file.divert.exempt_hosts,
      dataPorts: file.divert.data_ports,
      sourcePorts: file.divert.source_ports,
      activePorts: file.divert.active_ports,
      workers: file.divert.workers,
      forwarded: file.divert.forwarded,
      forwardedFrom: file.divert.forwarded_from,
      forwardedSessions: file.divert.forwarded_sessions,
      onFailure: file.divert.on_failure,
    },
    trust: {
      unknown: file.trust.unknown,
      caValid: file.trust.ca_valid,
      replicate: file.trust.replicate,
      promptTimeoutMs: file.trust.prompt_timeout,
      store: file.trust.store,
      names: [...new Set(file.trust.names)],
      caBundle: file.trust.ca_bundle === '' ? undefined : file.trust.ca_bundle,
      authorities: undefined,
    },
    users: { mayPause: file.users.may_pause, mayTrust: file.users.may_trust },
    fallback: file.fallback,
    data: { protection: file.data.protection, allowForeignAddress: file.data.allow_foreign_address },
    tls: { minVersion: file.tls.min_version, mechanisms: file.tls.mechanisms },
    hosts: file.host.map(toHostRule),
    clients: file.client.map((client): ClientRule => client),
  };
}

function toHostRule(host: FileTable['host'][number]): HostRule {
  return {
    match: host.match,
    mode: host.mode,
    trust: {
      unknown: host.trust.unknown,
      caValid: host.trust.ca_valid,
      replicate: host.trust.replicate,
      promptTimeoutMs: host.trust.prompt_timeout,
    },
    fallback: host.fallback,
    data: { protection: host.data.protection, allowForeignAddress: host.data.allow_foreign_address },
    tls: { minVersion: host.tls.min_version, mechanisms: host.tls.mechanisms },
  };
}

function checkRanges(file: FileTable, context: z.RefinementCtx): void {
  const ranges = (['data_ports', 'source_ports', 'active_ports'] as const).map((key) => ({
    key,
    range: file.divert[key],
  }));
  for (const [index, one] of ranges.entries()) {
    const clash = ranges.slice(0, index).find((other) => isOverlapping(one.range, other.range));
    const message = clash && `overlaps ${clash.key}; the two ranges must be apart`;
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['divert', one.key], message });
    const inside = file.divert.ports.find((p) => p >= one.range.first && p <= one.range.last);
    if (inside !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['divert', one.key],
        message: `must not hold the intercepted port ${inside} of divert.ports`,
      });
    }
  }
}

function isOverlapping(a: PortRange, b: PortRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}

function parsePortOrFail(value: number) {
  const parsed = parsePort(value);
  if (parsed === undefined) throw new RangeError(`bad default port ${value}`);
  return parsed;
}

function rangeOrFail(text: string): PortRange {
  const parsed = parsePortRange(text);
  if (parsed === undefined) throw new RangeError(`bad default range ${text}`);
  return parsed;
}
