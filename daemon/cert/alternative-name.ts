// The names and addresses that a certificate is made out to.
import { parseIpAddress, familyOf, type IpAddress } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { parseHostname } from '../host-match.js';

export type AlternativeName =
  /** Lower case; may start with `*.`. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'address'; readonly address: IpAddress };

/** A name, a wildcard name or an address as a person writes it. Throws a Fault of code `usage`. */
export function parseAlternativeName(text: string): AlternativeName {
  const address = parseIpAddress(text.replace(/^\[(.*)\]$/, '$1'));
  if (address !== undefined) return { kind: 'address', address };
  const isWildcard = text.startsWith('*.');
  const name = parseHostname(isWildcard ? text.slice(2) : text);
  // Clients match names of letters, digits and hyphens only, and no wildcard for a whole top-level domain.
  if (name !== undefined && !name.includes('_') && (!isWildcard || name.includes('.'))) {
    return { kind: 'name', name: isWildcard ? `*.${name}` : name };
  }
  throw new Fault(
    'usage',
    `"${text}" is no name of a server: give names such as ftp.example.com or *.example.com, or addresses such as 192.0.2.1.`,
  );
}

export function formatAlternativeName(name: AlternativeName): string {
  return name.kind === 'name' ? name.name : name.address;
}

/** The 4 or 16 bytes of an address. */
export function addressBytes(address: IpAddress): Buffer {
  if (familyOf(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(tail === undefined ? 0 : 8 - left.length - right.length).fill('0');
  const groups = [...left, ...zeros, ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** The reverse of `addressBytes`; undefined for another number of bytes. */
export function addressOfBytes(bytes: Uint8Array): IpAddress | undefined {
  const hex = Buffer.from(bytes).toString('hex');
  if (bytes.length === 4) return parseIpAddress([...bytes].join('.'));
  return bytes.length === 16 ? parseIpAddress(hex.match(/.{4}/g)?.join(':')) : undefined;
}
