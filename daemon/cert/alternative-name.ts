// The names and addresses that a certificate is made out to.
import { parseIpAddress, type IpAddress } from '../../shared/endpoint.js';
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
