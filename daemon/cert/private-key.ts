// Private keys: the kinds that ftpseal makes, and which keys are too weak. Node makes and writes them.
import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Fault } from '../../shared/fault.js';

/** Every kind of key that `ftpseal cert create` makes. */
export const keyKinds = ['rsa-2048', 'rsa-3072', 'rsa-4096', 'p-256', 'p-384'] as const;
export type KeyKind = (typeof keyKinds)[number];

/** Below this an RSA key is within reach of factoring (NIST SP 800-57: 112 bits of strength). */
export const RSA_BITS_MIN = 2048;
/** The same strength on elliptic curves. */
const EC_BITS_MIN = 224;

const generate = promisify(generateKeyPair);

/** What a person asked for. Throws a Fault of code `usage` that says why a weak kind is refused. */
export function parseKeyKind(text: string): KeyKind {
  const kind = keyKinds.find((one) => one === text.toLowerCase());
  if (kind !== undefined) return kind;
  const bits = /^rsa-?([0-9]{3,5})$/i.exec(text)?.[1];
  if (bits !== undefined && Number(bits) < RSA_BITS_MIN) {
    throw new Fault(
      'usage',
      `RSA keys of ${bits} bits are not made: they can be broken, and today's clients refuse them. The least is rsa-2048.`,
    );
  }
  throw new Fault('usage', `"${text}" is no kind of key; take one of ${keyKinds.join(', ')}.`);
}

/** A fresh private key. RSA of 4096 bits takes seconds. */
export async function makePrivateKey(kind: KeyKind): Promise<KeyObject> {
  const pair =
    kind === 'p-256' || kind === 'p-384'
      ? await generate('ec', { namedCurve: kind === 'p-256' ? 'P-256' : 'P-384' })
      : await generate('rsa', { modulusLength: Number(kind.slice(4)) });
  return pair.privateKey;
}

/** The key as PKCS#8 in PEM, which OpenSSL, GnuTLS and every FTP server read. */
export function formatPrivateKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The DER of the key's SubjectPublicKeyInfo. */
export function publicKeyDer(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** `rsa 1024` and the like if the key is too weak to be trusted, else undefined. */
export function weaknessOf(key: KeyObject): string | undefined {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) < RSA_BITS_MIN)
    return `rsa ${modulusLength ?? 0}`;
  if (key.asymmetricKeyType === 'dsa') return `dsa ${modulusLength ?? 0}`;
  const bits = Number(/[0-9]{3}/.exec(namedCurve ?? '')?.[0] ?? EC_BITS_MIN);
  return bits < EC_BITS_MIN ? `ec ${namedCurve ?? ''}` : undefined;
}
