// The groups of the key exchange: safe primes of RFC 2409 (groups 1 and 2) and RFC 3526 (group 14), each with the generator 2.

/** The sizes of an ElGamal prime in bits. */
export type GroupBits = 768 | 1024 | 2048;

export const GENERATOR = 2n;

export const GROUP_PRIMES: Readonly<Record<GroupBits, bigint>> = {
  768: BigInt(
    '0x' +
      'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879' +
      '8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a3620' +
      'ffffffffffffffff',
  ),
  1024: BigInt(
    '0x' +
      'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879' +
      '8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b' +
      '0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff',
  ),
  2048: BigInt(
    '0x' +
      'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879' +
      '8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b' +
      '0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da4836' +
      '1c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804' +
      'f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6' +
      '955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff',
  ),
};
