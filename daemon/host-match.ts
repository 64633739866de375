// What a person may write to mean "this server": a name, a wildcard name, an address or a block of addresses,
// each with :port if wanted. Used by [[host]] and by divert.exempt_hosts. Resolves nothing.
import { z } from 'zod';
import {
  familyOf,
  ipAddressSchema,
  parseIpAddress,
  parsePort,
  portSchema,
  type Endpoint,
  type IpAddress,
  type Port,
} from '../shared/endpoint.js';

export const hostMatchSchema = z.discriminatedUnion('kind', [
  /** `name` is lower case, without a final dot. */
  z.object({ kind: z.literal('name'), name: z.string(), port: portSchema.optional() }).readonly(),
  /** `*.example.com`: `suffix` is `.example.com`; the bare domain itself does not match. */
  z.object({ kind: z.literal('wildcard'), suffix: z.string(), port: portSchema.optional() }).readonly(),
  z
    .object({
      kind: z.literal('net'),
      address: ipAddressSchema,
      prefix: z.number().int().min(0).max(128),
      port: portSchema.optional(),
    })
    .readonly(),
]);
export type HostMatch = z.infer<typeof hostMatchSchema>;

const hostname =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** A host name in lower case without its final dot; `undefined` if the text is no host name or is an address. */
export function parseHostname(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (parseIpAddress(name) !== undefined || /^[0-9.]+$/.test(name)) return undefined;
  return hostname.test(name) ? name : undefined;
}

/** Splits `host`, `host:port`, `[v6]` and `[v6]:port`; a bare IPv6 address has no port. */
export function splitHostPort(
  text: string,
): { readonly host: string; readonly port: Port | undefined } | undefined {
  const bracketed = /^\[([^\]]+)\](\/[0-9]+)?(?::([0-9]+))?$/.exec(text);
  const plain = /^([^:]+)(?::([0-9]+))?$/.exec(text);
  const host = bracketed ? `${bracketed[1] ?? ''}${bracketed[2] ?? ''}` : (plain?.[1] ?? text);
  const portText = bracketed ? bracketed[3] : plain?.[2];
  if (portText === undefined) return { host, port: undefined };
  const port = parsePort(portText);
  return port === undefined ? undefined : { host, port };
}

/** A match as it is written in the configuration; `undefined` if it is none. */
export function parseHostMatch(text: string): HostMatch | undefined {
  const split = splitHostPort(text.trim());
  if (split === undefined) return undefined;
  const withPort = split.port === undefined ? {} : { port: split.port };
  const net = parseNet(split.host);
  if (net !== undefined) return { kind: 'net', ...net, ...withPort };
  if (split.host.startsWith('*.')) {
    const domain = parseHostname(split.host.slice(2));
    return domain === undefined ? undefined : { kind: 'wildcard', suffix: `.${domain}`, ...withPort };
  }
  const name = parseHostname(split.host);
  return name === undefined ? undefined : { kind: 'name', name, ...withPort };
}

function parseNet(text: string): { readonly address: IpAddress; readonly prefix: number } | undefined {
  const [host, prefixText, ...rest] = text.split('/');
  const address = parseIpAddress(host);
  if (address === undefined || rest.length > 0) return undefined;
  const bits = familyOf(address) === 4 ? 32 : 128;
  if (prefixText === undefined) return { address, prefix: bits };
  if (!/^[0-9]{1,3}$/.test(prefixText) || Number(prefixText) > bits) return undefined;
  return { address, prefix: Number(prefixText) };
}

/** Whether a server is meant. `name` is what the server is known as, if anything; only names can match names. */
export function isHostMatch(match: HostMatch, server: Endpoint, name: string | undefined): boolean {
  if (match.port !== undefined && match.port !== server.port) return false;
  if (match.kind === 'net') return isInNet(server.address, match);
  const known = name === undefined ? undefined : parseHostname(name);
  if (known === undefined) return false;
  return match.kind === 'name' ? known === match.name : known.endsWith(match.suffix);
}

/** Whether an address lies in a block; the families never mix. */
export function isInNet(
  address: IpAddress,
  net: { readonly address: IpAddress; readonly prefix: number },
): boolean {
  if (familyOf(address) !== familyOf(net.address)) return false;
  const shift = BigInt((familyOf(address) === 4 ? 32 : 128) - net.prefix);
  return toBigInt(address) >> shift === toBigInt(net.address) >> shift;
}

function toBigInt(address: IpAddress): bigint {
  if (familyOf(address) === 4) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(tail === undefined ? 0 : 8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].reduce((sum, part) => sum * 65536n + BigInt(`0x${part}`), 0n);
}
