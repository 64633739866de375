// Keeping a TCP checksum right when words that it covers change (RFC 1624). Pure; nothing here ever sums a whole packet.

/** A ones' complement sum folded into 16 bits. `sum` is below 2^32. */
function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/**
 * What replacing the 16-bit words `before` by `after` adds to a sum: one number for a connection and a direction, because
 * only ports change (swapped addresses leave the sum as it is).
 */
export function checksumDelta(before: readonly number[], after: readonly number[]): number {
  const removed = before.reduce((sum, word) => sum + (~word & 0xffff), 0);
  return fold(after.reduce((sum, word) => sum + word, removed));
}

/** The new checksum field, RFC 1624 equation 3: the old one and a delta of `checksumDelta`. */
export function adjustChecksum(checksum: number, delta: number): number {
  return ~fold((~checksum & 0xffff) + delta) & 0xffff;
}
