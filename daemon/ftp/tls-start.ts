// Tells from its first bytes whether a client begins TLS.

/** `undecided`: the bytes so far may still become a ClientHello. */
export type TlsStart = 'hello' | 'other' | 'undecided';

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
/** RFC 8446 section 5.1. */
const RECORD_MAX = 16_384;
/** Type, version, length of the record (RFC 8446 section 5.1), and the type of the message in it (section 4). */
const HEADER = 6;

/**
 * Judges the start of a stream by its first six bytes. The version is SSL 3 to TLS 1.3 in the words of the record layer; the hello of
 * SSL 2 is none.
 */
export function judgeTlsStart(bytes: Uint8Array): TlsStart {
  const [type, major, minor, high, low, message] = bytes;
  const fits =
    isAbsentOr(type, (byte) => byte === HANDSHAKE_RECORD) &&
    isAbsentOr(major, (byte) => byte === 3) &&
    isAbsentOr(minor, (byte) => byte <= 4) &&
    isAbsentOr(low, (byte) => isLength(((high ?? 0) << 8) | byte)) &&
    isAbsentOr(message, (byte) => byte === CLIENT_HELLO);
  if (!fits) return 'other';
  return bytes.length < HEADER ? 'undecided' : 'hello';
}

function isAbsentOr(byte: number | undefined, holds: (byte: number) => boolean): boolean {
  return byte === undefined || holds(byte);
}

function isLength(length: number): boolean {
  return length > 0 && length <= RECORD_MAX;
}
