// Every bound of X-SafeTP1, each as the specification of the wire gives it (docs/x-safetp1.md).

/** Bytes of one line in clear, during the negotiation and after it, with CRLF. */
export const WIRE_LINE_MAX = 8192;

/** Bytes of a line inside ENC or 632, without CRLF. */
export const INNER_LINE_MAX = 4096;

/** Bytes of an ADAT, decoded. Ours have under 2 KiB. */
export const ADAT_MAX = 4096;

/** Bytes of a brand in UTF-8. */
export const BRAND_MAX = 256;

/** Bytes of an address as text; the longest IPv6 address has 45. */
export const ADDRESS_MAX = 64;

/** Bytes of an encoded DSA key; ours have 420. */
export const DSA_KEY_MAX = 512;

/** Bytes of an encoded signature; ours have 48. */
export const SIGNATURE_MAX = 64;

/** Bytes of a key in text form, which a person pastes. */
export const KEY_TEXT_MAX = 16_384;

/** AUTH commands that a server answers on one connection, failures of every mechanism included. */
export const AUTHS_MAX = 10;

/** Milliseconds that a server waits between 334 and the first ADAT: a person may be answering the question. */
export const FIRST_ADAT_MS = 120_000;

/** Milliseconds that a server waits for any other line of the negotiation. */
export const STEP_MS = 30_000;

/** Bytes of either side's challenge. */
export const CHALLENGE_BYTES = 32;

/** Bytes of the master secret. */
export const MASTER_BYTES = 48;

/** The smallest and the largest PBSZ. */
export const PBSZ_MIN = 4096;
export const PBSZ_MAX = 131_072;

/** What our client proposes: the best of the paper's measurements. */
export const PBSZ_PROPOSED = 32_768;

/** Data blocks that one key protects: no 3DES key sees much more than 8 MiB, far from its 2^32 blocks. */
export const BLOCKS_PER_KEY = 64;

/** No line has this sequence number; a direction that gets there ends the session. */
export const SEQUENCE_END = 0xffff_ffff;
