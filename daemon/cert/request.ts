// What a request for a certificate (PKCS#10) asks for; Node reads no requests.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { Fault } from '../../shared/fault.js';
import { addressFromBytes } from '../sys/sockaddr.js';
import { bytesOf, childrenOf, decode, encode, isTagged, oidOf, type Element } from './der.js';

export interface RequestContent {
  readonly publicKey: KeyObject;
  readonly commonName: string | undefined;
  /** Alternative names and addresses that are asked for. */
  readonly names: readonly string[];
}

const NAMES_MAX = 64;

/** Reads a request in DER. Throws a Fault of code `key` if it is none. */
export function readRequest(der: Uint8Array): RequestContent {
  const [body] = childrenOf(decode(der));
  const [, subject, keyInfo, attributes] = childrenOf(body);
  if (keyInfo === undefined)
    throw new Fault('key', 'The request for a certificate can’t be read; it is damaged.');
  try {
    return {
      publicKey: createPublicKey({ key: encode(keyInfo), format: 'der', type: 'spki' }),
      commonName: commonNameOf(subject),
      names: wantedNames(attributes).slice(0, NAMES_MAX),
    };
  } catch (error) {
    throw new Fault('key', 'The key in the request for a certificate can’t be read; it is damaged.', error);
  }
}

function commonNameOf(subject: Element | undefined): string | undefined {
  const attributes = childrenOf(subject).flatMap(childrenOf).map(childrenOf);
  const found = attributes.find(([type]) => oidOf(type) === '2.5.4.3');
  return found?.[1] === undefined ? undefined : bytesOf(found[1]).toString('utf8');
}

function wantedNames(attributes: Element | undefined): readonly string[] {
  const wanted = childrenOf(attributes)
    .map(childrenOf)
    .filter(([type]) => oidOf(type) === '1.2.840.113549.1.9.14');
  const extensions = wanted.flatMap(([, values]) => childrenOf(values)).flatMap(childrenOf);
  return extensions
    .map(childrenOf)
    .filter(([type]) => oidOf(type) === '2.5.29.17')
    .flatMap((parts) => childrenOf(decode(bytesOf(parts.at(-1)))))
    .flatMap(nameOf);
}

function nameOf(element: Element): readonly string[] {
  // GeneralName: dNSName is [2], iPAddress is [7].
  if (isTagged(element, 2)) return [bytesOf(element).toString('latin1')];
  const address = isTagged(element, 7) ? addressFromBytes(bytesOf(element)) : undefined;
  return address === undefined ? [] : [address];
}
