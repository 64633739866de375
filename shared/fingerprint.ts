// The fingerprint of a server's key and how people write it. Hashing happens elsewhere (daemon/trust/spki.ts).

/**
 * `SHA256:` and 43 characters of unpadded base64: SHA-256 of the certificate's SubjectPublicKeyInfo
 * (TLS) or of the DSA key (X-SafeTP1). Canonical, so fingerprints are equal when their strings are.
 */
export type KeyFingerprint = string & { readonly __brand: 'KeyFingerprint' };

const canonical = /^SHA256:[A-Za-z0-9+/]{43}$/;

/** The canonical fingerprint of a 32-byte digest; throws a RangeError for any other length (a bug of the caller). */
export function formatFingerprint(digest: Uint8Array): KeyFingerprint {
  if (digest.length !== 32) throw new RangeError('a SHA-256 digest has 32 bytes');
  return `SHA256:${Buffer.from(digest).toString('base64').replace(/=+$/, '')}` as KeyFingerprint;
}

/**
 * A fingerprint as a person pastes it: `SHA256:` base64 (padding or not), bare base64, or 64 hex digits with
 * or without colons, spaces or dashes, in any case. Returns `undefined` for everything else, SHA-1 and MD5 included.
 */
export function parseFingerprint(text: string): KeyFingerprint | undefined {
  const body = text.trim().replace(/^(?:sha-?256)[:=\s]*(?:fingerprint[=:\s]*)?/i, '');
  const hex = body.replace(/[\s:-]/g, '');
  if (/^[0-9a-fA-F]{64}$/.test(hex)) return formatFingerprint(Buffer.from(hex, 'hex'));
  const base64 = body.replace(/\s/g, '').replace(/=+$/, '');
  const candidate = `SHA256:${base64}`;
  if (!canonical.test(candidate)) return undefined;
  const digest = Buffer.from(base64, 'base64');
  return digest.length === 32 ? formatFingerprint(digest) : undefined;
}

/** The fingerprint in groups of four, for comparing by eye. */
export function groupFingerprint(fingerprint: KeyFingerprint): string {
  return `SHA256: ${
    fingerprint
      .slice(7)
      .match(/.{1,4}/g)
      ?.join(' ') ?? ''
  }`;
}
