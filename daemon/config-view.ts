// The configuration as people see it: every key with the value in force, written as in the file, and where it comes from.
import { formatEndpoint, type PortRange } from '../shared/endpoint.js';
import type { ConfigView, Setting } from '../shared/ipc-messages.js';
import type { ClientRule, Net } from './client-rule.js';
import type { Config, HostRule } from './config.js';
import type { HostMatch } from './host-match.js';

/** What the file itself says: its path, and every key that it sets (`trust.unknown`). */
export interface ConfigSource {
  readonly file: string;
  readonly given: ReadonlySet<string>;
}

export function configView(config: Config, { file, given }: ConfigSource): ConfigView {
  const settings = Object.entries(globalValues(config)).map(([key, value]): Setting => ({
    key,
    value,
    origin: given.has(key) ? 'file' : 'default',
  }));
  const hosts = config.hosts.map((rule) => ({
    match: formatMatch(rule.match),
    settings: hostSettings(rule),
  }));
  const clients = config.clients.map((rule) => ({
    match: formatNet(rule.match),
    settings: clientSettings(rule),
  }));
  return { file, settings, hosts, clients };
}

/** Every `table.key` of a parsed TOML document, tables in lists left out. */
export function givenKeys(document: unknown): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const [table, content] of entriesOf(document)) {
    for (const [key] of entriesOf(content)) keys.add(`${table}.${key}`);
  }
  return keys;
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function globalValues({
  divert,
  trust,
  users,
  fallback,
  data,
  tls,
}: Config): Readonly<Record<string, string>> {
  return {
    'divert.layer': text(divert.layer),
    'divert.ports': list(divert.ports),
    'divert.exempt_users': list(divert.exemptUsers),
    'divert.exempt_hosts': list(divert.exemptHosts.map(formatMatch)),
    'divert.data_ports': range(divert.dataPorts),
    'divert.source_ports': range(divert.sourcePorts),
    'divert.active_ports': range(divert.activePorts),
    'divert.workers': String(divert.workers),
    'divert.forwarded': String(divert.forwarded),
    'divert.forwarded_from': list(divert.forwardedFrom.map(formatNet)),
    'divert.forwarded_sessions': String(divert.forwardedSessions),
    'divert.on_failure': text(divert.onFailure),
    'trust.unknown': text(trust.unknown),
    'trust.ca_valid': text(trust.caValid),
    'trust.replicate': text(trust.replicate),
    'trust.prompt_timeout': duration(trust.promptTimeoutMs),
    'trust.store': text(trust.store),
    'trust.names': list(trust.names),
    'trust.ca_bundle': text(trust.caBundle ?? ''),
    'users.may_pause': String(users.mayPause),
    'users.may_trust': String(users.mayTrust),
    'fallback.cleartext': text(fallback.cleartext),
    'data.protection': text(data.protection),
    'data.allow_foreign_address': String(data.allowForeignAddress),
    'tls.min_version': text(tls.minVersion),
    'tls.mechanisms': list(tls.mechanisms),
  };
}

function hostSettings({ mode, trust, fallback, data, tls }: HostRule): Setting[] {
  const values: Readonly<Record<string, string | undefined>> = {
    mode: mode === 'explicit' ? undefined : text(mode),
    'trust.unknown': trust.unknown && text(trust.unknown),
    'trust.ca_valid': trust.caValid && text(trust.caValid),
    'trust.replicate': trust.replicate && text(trust.replicate),
    'trust.prompt_timeout': trust.promptTimeoutMs === undefined ? undefined : duration(trust.promptTimeoutMs),
    'fallback.cleartext': fallback.cleartext && text(fallback.cleartext),
    'data.protection': data.protection && text(data.protection),
    'data.allow_foreign_address':
      data.allowForeignAddress === undefined ? undefined : String(data.allowForeignAddress),
    'tls.min_version': tls.minVersion && text(tls.minVersion),
    'tls.mechanisms': tls.mechanisms && list(tls.mechanisms),
  };
  return ofFile(values);
}

function clientSettings({ mode, fallback }: ClientRule): Setting[] {
  return ofFile({
    'client.mode': text(mode),
    'fallback.cleartext': fallback.cleartext && text(fallback.cleartext),
  });
}

function ofFile(values: Readonly<Record<string, string | undefined>>): Setting[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value, origin: 'file' }],
  );
}

function text(value: string): string {
  return `"${value}"`;
}

/** A list of thousands is cut: nobody reads it here, and the file has it. */
function list(values: readonly (string | number)[]): string {
  const items = values.slice(0, 12).map((value) => (typeof value === 'string' ? text(value) : String(value)));
  const more = values.length > items.length ? [`… ${values.length - items.length} more`] : [];
  return `[${[...items, ...more].join(', ')}]`;
}

function range({ first, last }: PortRange): string {
  return text(`${first}-${last}`);
}

function duration(ms: number): string {
  if (ms % 1000 !== 0) return text(`${ms}ms`);
  return text(ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1000}s`);
}

function formatNet(net: Net): string {
  return formatMatch({ kind: 'net', ...net });
}

function formatMatch(match: HostMatch): string {
  const { port } = match;
  const suffix = port === undefined ? '' : `:${port}`;
  if (match.kind === 'name') return `${match.name}${suffix}`;
  if (match.kind === 'wildcard') return `*${match.suffix}${suffix}`;
  const isV6 = match.address.includes(':');
  if (match.prefix === (isV6 ? 128 : 32)) {
    return port === undefined ? match.address : formatEndpoint({ address: match.address, port });
  }
  const block = `${match.address}/${match.prefix}`;
  return port === undefined ? block : `${isV6 ? `[${match.address}]/${match.prefix}` : block}${suffix}`;
}
