// DER in both directions, over node-forge's asn1. Node has nothing for it; hashing, keys and signatures are Node's own.
import forge from 'node-forge';

const { asn1 } = forge;

/** One element of a DER document. */
export type Element = forge.asn1.Asn1;

/** SEQUENCE. */
export function sequence(...items: readonly Element[]): Element {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [...items]);
}

/** SET; the caller has to keep DER's order, which does not matter for one item. */
export function set(...items: readonly Element[]): Element {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [...items]);
}

/** Tags as node-forge has them: where a universal element keeps the number of its type. */
const tags = { 0: asn1.Type.NONE, 2: asn1.Type.INTEGER, 3: asn1.Type.BITSTRING, 7: asn1.Type.ODESC } as const;

/** `[tag]` around other elements (EXPLICIT). */
export function tagged(tag: keyof typeof tags, ...items: readonly Element[]): Element {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tags[tag], true, [...items]);
}

/** `[tag]` in place of the type's own tag (IMPLICIT), for types that hold plain bytes. */
export function taggedBytes(tag: keyof typeof tags, bytes: Uint8Array): Element {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tags[tag], false, toBinary(bytes));
}

/** An OBJECT IDENTIFIER from its dotted text. */
export function oid(dotted: string): Element {
  return primitive(asn1.Type.OID, asn1.oidToDer(dotted).getBytes());
}

/** A small INTEGER, 0 to 127. */
export function smallInteger(value: number): Element {
  return primitive(asn1.Type.INTEGER, String.fromCharCode(value));
}

/** An INTEGER from big-endian bytes; the first one must be 0x01 to 0x7f, so that it is positive and of minimal length. */
export function bigInteger(bytes: Uint8Array): Element {
  return primitive(asn1.Type.INTEGER, toBinary(bytes));
}

export function boolean(value: 'true' | 'false'): Element {
  return primitive(asn1.Type.BOOLEAN, value === 'true' ? '\xff' : '\x00');
}

export function nullElement(): Element {
  return primitive(asn1.Type.NULL, '');
}

export function utf8String(text: string): Element {
  return primitive(asn1.Type.UTF8, toBinary(Buffer.from(text, 'utf8')));
}

/** Two capital letters, the form that a country has to have. */
export function printableString(text: string): Element {
  return primitive(asn1.Type.PRINTABLESTRING, text);
}

export function octetString(bytes: Uint8Array): Element {
  return primitive(asn1.Type.OCTETSTRING, toBinary(bytes));
}

/** A BIT STRING of whole bytes; `unused` counts the bits at its end that mean nothing. */
export function bitString(bytes: Uint8Array, unused = 0): Element {
  return primitive(asn1.Type.BITSTRING, String.fromCharCode(unused) + toBinary(bytes));
}

/** A time as RFC 5280 wants it: UTCTime up to 2049, GeneralizedTime from then on. */
export function time(at: Date): Element {
  return at.getUTCFullYear() < 2050
    ? primitive(asn1.Type.UTCTIME, asn1.dateToUtcTime(at))
    : primitive(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(at));
}

/** Whether an element is `[tag]` of its context. */
export function isTagged(element: Element, tag: keyof typeof tags): boolean {
  return element.tagClass === asn1.Class.CONTEXT_SPECIFIC && element.type === tags[tag];
}

/** The bytes of an element. */
export function encode(element: Element): Buffer {
  return Buffer.from(asn1.toDer(element).getBytes(), 'latin1');
}

/** The element in these bytes; undefined if they are no DER, or hold more than one element. */
export function decode(der: Uint8Array): Element | undefined {
  try {
    return asn1.fromDer(toBinary(der));
  } catch {
    return undefined;
  }
}

/** The elements inside a constructed element; none in another. */
export function childrenOf(element: Element | undefined): readonly Element[] {
  return element !== undefined && Array.isArray(element.value) ? element.value : [];
}

/** The content of a primitive element; empty for a constructed one. */
export function bytesOf(element: Element | undefined): Buffer {
  return element === undefined || Array.isArray(element.value)
    ? Buffer.alloc(0)
    : Buffer.from(element.value, 'latin1');
}

/** The dotted text of an OBJECT IDENTIFIER; undefined for anything else. */
export function oidOf(element: Element | undefined): string | undefined {
  const isOid = element?.type === asn1.Type.OID && typeof element.value === 'string';
  return isOid ? asn1.derToOid(bytesOf(element).toString('latin1')) : undefined;
}

function primitive(type: forge.asn1.Type, value: string): Element {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, value);
}

function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
