// SHA-1, SHA-256, HMAC-SHA1 and comparison in constant time, of the platform.
import { createHash, createHmac, timingSafeEqual, type Hash } from 'node:crypto';

export function sha1(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

export function hmacSha1(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('sha1', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Equal length and bytes, in a time that depends on the length alone. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A SHA-1 that grows: `digest` may be asked at any point and does not end it. */
export class RunningSha1 {
  /** Made with the first bytes: most sessions end, or are protected otherwise, before there are any. */
  #hash: Hash | undefined;

  update(bytes: Uint8Array): void {
    this.#hash ??= createHash('sha1');
    this.#hash.update(bytes);
  }

  digest(): Buffer {
    return (this.#hash?.copy() ?? createHash('sha1')).digest();
  }
}
