// The little of DER that a DSA key in X.509 form (RFC 3279 section 2.3.2) needs.
import { Fault } from '../../../../shared/fault.js';
import { bytesOf, numberOf } from '../numbers.js';

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const DSA_OID = Buffer.from('06072a8648ce380401', 'hex');

/** The four numbers of a DSA public key. */
export interface DsaNumbers {
  readonly p: bigint;
  readonly q: bigint;
  readonly g: bigint;
  readonly y: bigint;
}

/** SubjectPublicKeyInfo of a DSA key. */
export function formatDsaSpki(key: DsaNumbers): Buffer {
  const parameters = element(SEQUENCE, integer(key.p), integer(key.q), integer(key.g));
  const publicKey = element(BIT_STRING, Buffer.from([0]), integer(key.y));
  return element(SEQUENCE, element(SEQUENCE, DSA_OID, parameters), publicKey);
}

/** The numbers of a SubjectPublicKeyInfo. Throws a Fault of code `key` if it is of no DSA key. */
export function parseDsaSpki(der: Uint8Array): DsaNumbers {
  const info = content(Buffer.from(der), SEQUENCE);
  const algorithm = content(info.value, SEQUENCE);
  if (!algorithm.value.subarray(0, DSA_OID.length).equals(DSA_OID)) throw notDsa();
  const parameters = content(algorithm.value.subarray(DSA_OID.length), SEQUENCE);
  const p = content(parameters.value, INTEGER);
  const q = content(p.rest, INTEGER);
  const g = content(q.rest, INTEGER);
  const bits = content(algorithmRest(info.value), BIT_STRING);
  const y = content(bits.value.subarray(1), INTEGER);
  return {
    p: numberOf(p.value),
    q: numberOf(q.value),
    g: numberOf(g.value),
    y: numberOf(y.value),
  };
}

function algorithmRest(info: Buffer): Buffer {
  return content(info, SEQUENCE).rest;
}

function notDsa(): Fault {
  return new Fault('key', 'This is not a DSA key. X-SafeTP1 needs one; `ftpseal serve` makes it.');
}

function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const length =
    value.length < 128
      ? Buffer.from([value.length])
      : Buffer.concat([
          Buffer.from([0x80 | bytesOf(BigInt(value.length)).length]),
          bytesOf(BigInt(value.length)),
        ]);
  return Buffer.concat([Buffer.from([tag]), length, value]);
}

function integer(value: bigint): Buffer {
  const bytes = bytesOf(value);
  const first = bytes[0];
  return element(
    INTEGER,
    first === undefined || first >= 128 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes,
  );
}

function content(der: Buffer, tag: number): { readonly value: Buffer; readonly rest: Buffer } {
  const first = der[1];
  if (der[0] !== tag || first === undefined) throw notDsa();
  const lengthBytes = first < 128 ? 0 : first & 0x7f;
  const start = 2 + lengthBytes;
  const length = first < 128 ? first : Number(numberOf(der.subarray(2, start)));
  if (start + length > der.length) throw notDsa();
  return { value: der.subarray(start, start + length), rest: der.subarray(start + length) };
}
