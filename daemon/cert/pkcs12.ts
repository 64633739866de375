// PKCS#12 files (.p12, .pfx), which Node can use but not open. node-forge decrypts them; what comes out goes to Node.
import forge from 'node-forge';
import {
  bytesOf,
  childrenOf,
  decode,
  encode,
  nullElement,
  octetString,
  oid,
  sequence,
  smallInteger,
  type Element,
} from './der.js';

/** What a PKCS#12 file holds, in DER: keys as PKCS#8. */
export interface Pkcs12Content {
  readonly keys: readonly Buffer[];
  readonly certificates: readonly Buffer[];
}

/** Whether these bytes are a PKCS#12 file (version 3, RFC 7292). */
export function isPkcs12(der: Uint8Array): boolean {
  const [version, content] = childrenOf(decode(der));
  return bytesOf(version).equals(Buffer.of(3)) && childrenOf(content).length > 0;
}

/** The content; undefined if the passphrase is wrong, or the file damaged (its integrity is proven with the passphrase). */
export function openPkcs12(der: Uint8Array, passphrase: string): Pkcs12Content | undefined {
  for (const attempt of attempts(der, passphrase)) {
    try {
      return contentOf(forge.pkcs12.pkcs12FromAsn1(attempt.file, false, attempt.password));
    } catch {
      // Wrong passphrase, or the other way to write it in bytes.
    }
  }
  return undefined;
}

interface Attempt {
  readonly file: Element;
  readonly password: string;
}

/**
 * The older ciphers and the check of integrity take the passphrase as UTF-16, the newer ones as UTF-8. They differ beyond ASCII only, and
 * then the second attempt has to leave the check out: that the key fits the certificate is proven later.
 */
function attempts(der: Uint8Array, passphrase: string): readonly Attempt[] {
  const file = decode(der);
  if (file === undefined) return [];
  const plain = { file, password: passphrase };
  const utf8 = Buffer.from(passphrase, 'utf8').toString('latin1');
  return utf8 === passphrase
    ? [plain]
    : [plain, { file: sequence(...childrenOf(file).slice(0, 2)), password: utf8 }];
}

function contentOf(file: forge.pkcs12.Pkcs12Pfx): Pkcs12Content {
  const bags = file.safeContents.flatMap((content) => content.safeBags);
  const { keyBag, pkcs8ShroudedKeyBag, certBag } = forge.pki.oids;
  return {
    keys: bags.flatMap((bag) => (bag.type === keyBag || bag.type === pkcs8ShroudedKeyBag ? keyOf(bag) : [])),
    certificates: bags.flatMap((bag) => (bag.type === certBag ? certificateOf(bag) : [])),
  };
}

/** RSA keys come out understood, and are wrapped as PKCS#8 again; all others come as they were. */
function keyOf(bag: forge.pkcs12.Bag): readonly Buffer[] {
  if (bag.key) {
    const rsa = forge.pki.privateKeyToAsn1(bag.key);
    const algorithm = sequence(oid('1.2.840.113549.1.1.1'), nullElement());
    return [encode(sequence(smallInteger(0), algorithm, octetString(encode(rsa))))];
  }
  return [encode(bag.asn1)];
}

function certificateOf(bag: forge.pkcs12.Bag): readonly Buffer[] {
  if (bag.cert) return [encode(forge.pki.certificateToAsn1(bag.cert))];
  return [encode(bag.asn1)];
}
