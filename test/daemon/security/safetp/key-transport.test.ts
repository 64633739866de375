import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encryptElGamal, generateElGamal } from '../../../../daemon/security/safetp/elgamal.js';
import { unwrapMaster, wrapMaster } from '../../../../daemon/security/safetp/key-transport.js';
import { numberOf } from '../../../../daemon/security/safetp/numbers.js';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';

const malformed = { name: 'Fault', code: 'protocol' };
const pair = generateElGamal(768, systemRandom);

/** A message of 96 bytes as a server could encrypt it that does not keep to the form. */
function unwrap(message: readonly Buffer[]): Buffer {
  return unwrapMaster(pair, encryptElGamal(pair.publicKey, numberOf(Buffer.concat(message)), systemRandom));
}

describe('the master secret', () => {
  it('comes back as it went, in every group', () => {
    for (const bits of [768, 1024, 2048] as const) {
      const other = generateElGamal(bits, systemRandom);
      const master = systemRandom(48);
      assert.deepEqual(unwrapMaster(other, wrapMaster(other.publicKey, master, systemRandom)), master);
    }
  });
  it('may begin with zero bytes', () => {
    const master = Buffer.alloc(48);
    assert.deepEqual(unwrapMaster(pair, wrapMaster(pair.publicKey, master, systemRandom)), master);
  });
  it('is refused in any other form', () => {
    const filler = Buffer.alloc(45, 1);
    const [two, zero, master] = [Buffer.from([0, 2]), Buffer.from([0]), Buffer.alloc(48, 9)];
    assert.deepEqual(unwrap([two, filler, zero, master]), master);
    const wrong = {
      'another type': [Buffer.from([0, 1]), filler, zero, master],
      'not beginning with zero': [Buffer.from([1, 2]), filler, zero, master],
      'a zero in the filler': [two, Buffer.alloc(45), zero, master],
      'no zero before the secret': [two, filler, Buffer.from([1]), master],
      'a secret of 47 bytes': [two, Buffer.alloc(46, 1), zero, Buffer.alloc(47, 9)],
      'a secret of 49 bytes': [two, Buffer.alloc(44, 1), zero, Buffer.alloc(49, 9)],
    };
    for (const [what, message] of Object.entries(wrong))
      assert.throws(() => unwrap(message), malformed, what);
  });
});
