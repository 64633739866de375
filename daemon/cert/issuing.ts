// Makes certificates that vouch for themselves, and requests for an authority (RFC 5280, RFC 2986).
import { createHash, randomBytes, type KeyObject } from 'node:crypto';
import { addressToBytes } from '../sys/sockaddr.js';
import { formatAlternativeName, type AlternativeName } from './alternative-name.js';
import {
  bigInteger,
  bitString,
  boolean,
  decode,
  encode,
  octetString,
  oid,
  printableString,
  sequence,
  set,
  smallInteger,
  tagged,
  taggedBytes,
  time,
  utf8String,
  type Element,
} from './der.js';
import { publicKeyDer } from './private-key.js';
import { signatureAlgorithm, signed } from './signing.js';

/** Who a certificate is for. */
export interface Subject {
  /** At least one. The first that fits becomes the common name. */
  readonly names: readonly AlternativeName[];
  readonly organization?: string | undefined;
  /** Two capital letters. */
  readonly country?: string | undefined;
}

export interface Validity {
  readonly from: Date;
  readonly to: Date;
}

/** RFC 5280, upper bound of a common name. */
const COMMON_NAME_MAX = 64;

const OID = {
  commonName: '2.5.4.3',
  country: '2.5.4.6',
  organization: '2.5.4.10',
  subjectKey: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKey: '2.5.29.35',
  extendedUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  extensionRequest: '1.2.840.113549.1.9.14',
} as const;

/** A self-signed certificate in DER. It is good as a server's and as a client's, and signs no others. */
export function makeCertificate(subject: Subject, key: KeyObject, validity: Validity): Buffer {
  const name = distinguishedName(subject);
  const body = sequence(
    tagged(0, smallInteger(2)),
    bigInteger(serialNumber()),
    signatureAlgorithm(key),
    name,
    sequence(time(validity.from), time(validity.to)),
    name,
    publicKeyInfo(key),
    tagged(3, sequence(...wantedExtensions(subject, key), ...ownExtensions(key))),
  );
  return signed(body, key);
}

/** A request in DER (PKCS#10) for a certificate with these names. */
export function makeRequest(subject: Subject, key: KeyObject): Buffer {
  const extensions = sequence(...wantedExtensions(subject, key));
  const body = sequence(
    smallInteger(0),
    distinguishedName(subject),
    publicKeyInfo(key),
    tagged(0, sequence(oid(OID.extensionRequest), set(extensions))),
  );
  return signed(body, key);
}

/** DER as PEM, in lines of 64 characters. */
export function formatPem(label: 'CERTIFICATE' | 'CERTIFICATE REQUEST', der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function distinguishedName({ names, organization, country }: Subject): Element {
  const attribute = (type: string, value: Element) => set(sequence(oid(type), value));
  const common = names.map(formatAlternativeName).find((name) => name.length <= COMMON_NAME_MAX);
  return sequence(
    ...(country === undefined ? [] : [attribute(OID.country, printableString(country))]),
    ...(organization === undefined ? [] : [attribute(OID.organization, utf8String(organization))]),
    // An empty name makes clients stumble; the names that count are the alternative ones.
    attribute(OID.commonName, utf8String(common ?? 'server')),
  );
}

/** Positive, 127 bits of it random, never with a leading zero byte. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function publicKeyInfo(key: KeyObject): Element {
  const element = decode(publicKeyDer(key));
  if (element === undefined) throw new Error('a public key of Node is no DER');
  return element;
}

/** What an authority is asked for as well. */
function wantedExtensions(subject: Subject, key: KeyObject): readonly Element[] {
  // digitalSignature; for RSA keyEncipherment too, for clients without an ephemeral key exchange.
  const usage =
    key.asymmetricKeyType === 'rsa' ? bitString(Buffer.of(0xa0), 5) : bitString(Buffer.of(0x80), 7);
  return [
    criticalExtension(OID.basicConstraints, sequence()),
    criticalExtension(OID.keyUsage, usage),
    extension(OID.extendedUsage, sequence(oid(OID.serverAuth), oid(OID.clientAuth))),
    extension(OID.alternativeNames, sequence(...subject.names.map(generalName))),
  ];
}

function ownExtensions(key: KeyObject): readonly Element[] {
  // RFC 7093, section 2: a hash of the whole key information, cut to 160 bits.
  const id = createHash('sha256').update(publicKeyDer(key)).digest().subarray(0, 20);
  return [
    extension(OID.subjectKey, octetString(id)),
    extension(OID.authorityKey, sequence(taggedBytes(0, id))),
  ];
}

function generalName(name: AlternativeName): Element {
  return name.kind === 'name'
    ? taggedBytes(2, Buffer.from(name.name, 'latin1'))
    : taggedBytes(7, addressToBytes(name.address));
}

function extension(type: string, value: Element): Element {
  return sequence(oid(type), octetString(encode(value)));
}

function criticalExtension(type: string, value: Element): Element {
  return sequence(oid(type), boolean('true'), octetString(encode(value)));
}
