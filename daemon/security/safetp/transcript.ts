// DIGT: SHA-1 over all that both sides said in clear, so that whoever edited a FEAT, swallowed an AUTH or forced another mechanism
// is found out by the first protected command.
import { fromBase64, toBase64 } from './base64.js';
import { attempt } from './malformed.js';
import { RunningSha1, equalBytes } from './native/digest.js';

const DIGEST_BYTES = 20;
const REPLY = /^211 DIGT=([^ ]+)$/i;

/** The client's first protected command of every session. */
export const DIGEST_REQUEST = 'DIGT';

/**
 * The bytes of the control connection in order, from the first byte of the client's first line to the LF of the 235. Both sides must
 * see them in the same order: while X-SafeTP1 may follow, a client sends a line only when the last one was answered.
 */
export class Transcript {
  readonly #hash = new RunningSha1();
  #begun = false;

  fromClient(bytes: Uint8Array): void {
    this.#begun = true;
    this.#hash.update(bytes);
  }

  /** The greeting, and all that comes before the client's first byte, is not covered. */
  fromServer(bytes: Uint8Array): void {
    if (this.#begun) this.#hash.update(bytes);
  }

  digest(): Buffer {
    return this.#hash.digest();
  }
}

/** The server's answer to DIGT. */
export function formatDigestReply(digest: Uint8Array): string {
  return `211 DIGT=${toBase64(digest)}`;
}

/** Is this answer the digest that we have? Anything else, 502 included, is an attack. */
export function isDigestReply(reply: string, digest: Uint8Array): boolean {
  const base64 = REPLY.exec(reply)?.[1];
  if (base64 === undefined) return false;
  const read = attempt(() => fromBase64(base64, DIGEST_BYTES));
  return read.kind === 'ok' && equalBytes(read.value, digest);
}
