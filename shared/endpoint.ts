// Addresses and ports as validated values. Pure: no socket, no resolver.
import { z } from 'zod';

/** A TCP port, 1 to 65535. Made by `parsePort` only. */
export type Port = number & { readonly __brand: 'Port' };

/**
 * An IP address in canonical text: dotted decimal, or RFC 5952 without zone. An IPv4-mapped IPv6 address
 * is always written as IPv4. Made by `parseIpAddress` only, so two addresses are equal when their strings are.
 */
export type IpAddress = string & { readonly __brand: 'IpAddress' };

/** One side of a TCP connection. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly port: Port;
}

/** An inclusive range of ports, `first` not above `last`. */
export interface PortRange {
  readonly first: Port;
  readonly last: Port;
}

/** What `z.ipv4()` tests, without what it does around that: addresses are read several times a connection. */
const ipv4 = z.regexes.ipv4;
const ipv6 = z.ipv6();

/** A number or decimal text as a port; `undefined` if it is none. */
export function parsePort(value: unknown): Port | undefined {
  if (typeof value === 'string' && !/^[0-9]{1,5}$/.test(value)) return undefined;
  const n = typeof value === 'string' ? Number(value) : value;
  if (typeof n !== 'number' || !Number.isInteger(n) || n < 1 || n > 65535) return undefined;
  return n as Port;
}

/** Text as an address in canonical form; `undefined` if it is none. A zone (`%eth0`) is not accepted. */
export function parseIpAddress(value: unknown): IpAddress | undefined {
  if (typeof value !== 'string') return undefined;
  if (ipv4.test(value)) return value as IpAddress;
  if (!ipv6.safeParse(value).success) return undefined;
  const canonical = new URL(`http://[${value}]/`).hostname.slice(1, -1);
  return (mappedIpv4(canonical) ?? canonical) as IpAddress;
}

function mappedIpv4(canonical: string): string | undefined {
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const high = parseInt(match[1], 16);
  const low = parseInt(match[2], 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** 4 or 6, the family of a validated address. */
export function familyOf(address: IpAddress): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

/** `192.0.2.1:21` or `[2001:db8::1]:21`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return familyOf(endpoint.address) === 6
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}

/** The reverse of `formatEndpoint`; `undefined` if the text is no endpoint. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]+)$/.exec(text);
  const address = parseIpAddress(match?.[1] ?? match?.[2]);
  const port = parsePort(match?.[3]);
  return address === undefined || port === undefined ? undefined : { address, port };
}

/** `first-last` as a range; `undefined` if it is none. */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^([0-9]+)-([0-9]+)$/.exec(text);
  const first = parsePort(match?.[1]);
  const last = parsePort(match?.[2]);
  return first === undefined || last === undefined || first > last ? undefined : { first, last };
}

/** How many ports a range holds. */
export function portCount(range: PortRange): number {
  return range.last - range.first + 1;
}

export const ipAddressSchema = z.string().transform((text, context): IpAddress => {
  const address = parseIpAddress(text);
  if (address !== undefined) return address;
  context.addIssue({ code: 'custom', message: 'must be an IP address' });
  return z.NEVER;
});

export const portSchema = z
  .number()
  .int()
  .min(1)
  .max(65535)
  .transform((n) => n as Port);

export const endpointSchema = z.object({ address: ipAddressSchema, port: portSchema }).readonly();
export const portRangeSchema = z.object({ first: portSchema, last: portSchema }).readonly();
