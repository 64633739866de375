// The algorithm that signed a certificate, read out of its DER: Node does not tell it.

const names: Readonly<Record<string, { readonly name: string; readonly isWeak: boolean }>> = {
  '1.2.840.113549.1.1.2': { name: 'MD2 with RSA', isWeak: true },
  '1.2.840.113549.1.1.4': { name: 'MD5 with RSA', isWeak: true },
  '1.2.840.113549.1.1.5': { name: 'SHA-1 with RSA', isWeak: true },
  '1.2.840.113549.1.1.10': { name: 'RSA-PSS', isWeak: false },
  '1.2.840.113549.1.1.11': { name: 'SHA-256 with RSA', isWeak: false },
  '1.2.840.113549.1.1.12': { name: 'SHA-384 with RSA', isWeak: false },
  '1.2.840.113549.1.1.13': { name: 'SHA-512 with RSA', isWeak: false },
  '1.2.840.10040.4.3': { name: 'SHA-1 with DSA', isWeak: true },
  '1.2.840.10045.4.1': { name: 'SHA-1 with ECDSA', isWeak: true },
  '1.2.840.10045.4.3.2': { name: 'SHA-256 with ECDSA', isWeak: false },
  '1.2.840.10045.4.3.3': { name: 'SHA-384 with ECDSA', isWeak: false },
  '1.2.840.10045.4.3.4': { name: 'SHA-512 with ECDSA', isWeak: false },
  '1.3.101.112': { name: 'Ed25519', isWeak: false },
  '1.3.101.113': { name: 'Ed448', isWeak: false },
};

export interface SignatureAlgorithm {
  readonly name: string;
  readonly isWeak: boolean;
}

/** Total: what can't be read is `unknown`, one that is not in the table is called by its object identifier. */
export function signatureAlgorithm(der: Uint8Array): SignatureAlgorithm {
  const certificate = element(der, 0, 0x30);
  const body = certificate && element(der, certificate.start, 0x30);
  const algorithm = body && element(der, body.end, 0x30);
  const identifier = algorithm && element(der, algorithm.start, 0x06);
  if (identifier === undefined) return { name: 'unknown', isWeak: false };
  const oid = readOid(der.subarray(identifier.start, identifier.end));
  return names[oid] ?? { name: oid, isWeak: false };
}

/** The content of the element at `offset`, if it has that tag and fits. */
function element(
  bytes: Uint8Array,
  offset: number,
  tag: number,
): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[offset + 1];
  if (bytes[offset] !== tag || first === undefined) return undefined;
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (count > 3) return undefined;
  const start = offset + 2 + count;
  const length =
    count === 0 ? first : bytes.subarray(offset + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return start + length > bytes.length ? undefined : { start, end: start + length };
}

function readOid(bytes: Uint8Array): string {
  const parts: number[] = [];
  let value = 0;
  for (const byte of bytes.subarray(0, 32)) {
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    if (parts.length === 0)
      parts.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)));
    else parts.push(value);
    value = 0;
  }
  return parts.join('.');
}
