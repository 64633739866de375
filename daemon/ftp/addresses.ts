// The addresses inside FTP commands and replies: PORT, EPRT, LPRT, and the replies 227, 229, 228.
// RFC 959 (PORT, PASV), RFC 2428 (EPRT, EPSV), RFC 1639 (LPRT, LPSV).
import { familyOf, parseIpAddress, parsePort, type Endpoint, type Port } from '../../shared/endpoint.js';

/** What an address argument holds; `family` is a well-formed argument of a protocol that we don't speak. */
export type AddressRead =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  | { readonly kind: 'family' }
  | { readonly kind: 'malformed' };

const MALFORMED: AddressRead = { kind: 'malformed' };

function endpointOf(address: string, port: unknown): AddressRead {
  const parsedAddress = parseIpAddress(address);
  const parsedPort = parsePort(port);
  if (parsedAddress === undefined || parsedPort === undefined) return MALFORMED;
  return { kind: 'endpoint', endpoint: { address: parsedAddress, port: parsedPort } };
}

function octets(text: string): readonly number[] | undefined {
  const parts = text.split(',');
  if (!parts.every((part) => /^\s*[0-9]{1,3}\s*$/.test(part))) return undefined;
  const numbers = parts.map(Number);
  return numbers.every((n) => n <= 255) ? numbers : undefined;
}

/** The argument of PORT: `h1,h2,h3,h4,p1,p2`. */
export function parsePortArgument(argument: string): AddressRead {
  const numbers = octets(argument.trim());
  if (numbers?.length !== 6) return MALFORMED;
  const [h1, h2, h3, h4, p1, p2] = numbers;
  return endpointOf([h1, h2, h3, h4].join('.'), (p1 ?? 0) * 256 + (p2 ?? 0));
}

/** The argument of EPRT: `|1|192.0.2.1|6446|`, any delimiter of 33 to 126. */
export function parseEprtArgument(argument: string): AddressRead {
  const text = argument.trim();
  const delimiter = text.charAt(0);
  if (!/^[!-~]$/.test(delimiter) || /^[0-9A-Fa-f:.]$/.test(delimiter)) return MALFORMED;
  const parts = text.split(delimiter);
  if (parts.length !== 5 || parts[4] !== '') return MALFORMED;
  const [, protocol, address, port] = parts;
  if (protocol !== '1' && protocol !== '2')
    return /^[0-9]+$/.test(protocol ?? '') ? { kind: 'family' } : MALFORMED;
  const read = endpointOf(address ?? '', port);
  if (read.kind !== 'endpoint') return read;
  return familyOf(read.endpoint.address) === (protocol === '1' ? 4 : 6) ? read : MALFORMED;
}

/** The argument of LPRT: address family, address length and octets, port length and octets. */
export function parseLprtArgument(argument: string): AddressRead {
  const numbers = octets(argument.trim());
  if (numbers === undefined) return MALFORMED;
  const [family, addressLength] = numbers;
  if (family !== 4 && family !== 6) return { kind: 'family' };
  const length = family === 4 ? 4 : 16;
  if (addressLength !== length || numbers.length !== length + 5 || numbers[2 + length] !== 2)
    return MALFORMED;
  const bytes = numbers.slice(2, 2 + length);
  const port = (numbers[3 + length] ?? 0) * 256 + (numbers[4 + length] ?? 0);
  return endpointOf(family === 4 ? bytes.join('.') : ipv6Text(bytes), port);
}

function ipv6Text(bytes: readonly number[]): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  return groups.join(':');
}

/** The endpoint in a 227 reply: the first six numbers in a row, wherever they stand and whatever is around them. */
export function parse227(text: string): Endpoint | undefined {
  const match = /(?<![0-9,])([0-9]{1,3}(?: ?, ?[0-9]{1,3}){5})(?![0-9,])/.exec(text.slice(3));
  const read = parsePortArgument(match?.[1] ?? '');
  return read.kind === 'endpoint' ? read.endpoint : undefined;
}

/** The port in a 229 reply: `(|||6446|)`, with any delimiter (IBM i uses `!`). */
export function parse229(text: string): Port | undefined {
  const match = /([!-/:-@[-`{-~])\1\1([0-9]{1,5})\1/.exec(text.slice(3));
  return parsePort(match?.[2]);
}

/** `h1,h2,h3,h4,p1,p2`; the endpoint must be IPv4 (the caller has checked the family). */
export function formatPortArgument(endpoint: Endpoint): string {
  return `${endpoint.address.replaceAll('.', ',')},${endpoint.port >> 8},${endpoint.port & 255}`;
}

/** `|1|192.0.2.1|6446|`. */
export function formatEprtArgument(endpoint: Endpoint): string {
  return `|${familyOf(endpoint.address) === 4 ? 1 : 2}|${endpoint.address}|${endpoint.port}|`;
}

/** The reply to PASV. Emacs and others look for the word Passive. */
export function format227(endpoint: Endpoint): string {
  return `227 Entering Passive Mode (${formatPortArgument(endpoint)}).`;
}

/** The reply to EPSV. */
export function format229(port: Port): string {
  return `229 Entering Extended Passive Mode (|||${port}|)`;
}

/** The reply to LPSV. */
export function format228(endpoint: Endpoint): string {
  const family = familyOf(endpoint.address);
  const bytes = family === 4 ? endpoint.address.split('.').map(Number) : ipv6Bytes(endpoint.address);
  const numbers = [family, bytes.length, ...bytes, 2, endpoint.port >> 8, endpoint.port & 255];
  return `228 Entering Long Passive Mode (${numbers.join(',')})`;
}

function ipv6Bytes(address: string): readonly number[] {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].flatMap((group) => [
    parseInt(group, 16) >> 8,
    parseInt(group, 16) & 255,
  ]);
}

/** The argument of HOST as a name for SNI; undefined for an IP literal, which SNI must not carry (RFC 6066 section 3). */
export function parseHostArgument(argument: string): string | undefined {
  const name = argument.trim().toLowerCase();
  return /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z][a-z0-9-]{0,62}$/.test(name)
    ? name
    : undefined;
}
