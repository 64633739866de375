// Unsigned integers of any size as big-endian bytes, and the Jacobi symbol.

/** The number that these bytes are; no bytes are zero. */
export function numberOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

/** A number without leading zero bytes; zero has none. */
export function bytesOf(value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0);
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

/** A number in exactly `length` bytes. Throws a RangeError if it has more: a bug of the caller. */
export function paddedBytesOf(value: bigint, length: number): Buffer {
  const bytes = bytesOf(value);
  if (bytes.length > length) throw new RangeError('the number does not fit');
  return Buffer.concat([Buffer.alloc(length - bytes.length), bytes]);
}

/** How many bits a number has; zero has none. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** The Jacobi symbol of `value` over `modulus`, an odd number above 1: 1, -1, or 0 if they share a factor. */
export function jacobi(value: bigint, modulus: bigint): 1 | -1 | 0 {
  let a = value % modulus;
  let n = modulus;
  let sign: 1 | -1 = 1;
  while (a !== 0n) {
    while ((a & 1n) === 0n) {
      a >>= 1n;
      const rest = n & 7n;
      if (rest === 3n || rest === 5n) sign = sign === 1 ? -1 : 1;
    }
    [a, n] = [n, a];
    if ((a & 3n) === 3n && (n & 3n) === 3n) sign = sign === 1 ? -1 : 1;
    a %= n;
  }
  return n === 1n ? sign : 0;
}
