import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';
import { hmacSha1 } from '../../../../daemon/security/safetp/native/digest.js';
import { encryptCbc } from '../../../../daemon/security/safetp/native/triple-des.js';
import { protect, unprotect, type Grain } from '../../../../daemon/security/safetp/protect.js';
import { Fault } from '../../../../shared/fault.js';
import { flipped } from './fixture.js';

const keys = { enc: systemRandom(24), mac: systemRandom(20) };
const HEADERS: Readonly<Record<Grain, Buffer>> = { control: Buffer.alloc(8, 1), data: Buffer.alloc(12, 2) };
const grain = fc.constantFrom<Grain>('control', 'data');

/** What a peer that knows the keys could make: any plain text, its HMAC right or not. */
function forged(parts: { readonly covered: Buffer; readonly mac?: Buffer }): Buffer {
  const mac = parts.mac ?? hmacSha1(keys.mac, parts.covered);
  const iv = systemRandom(8);
  return Buffer.concat([iv, encryptCbc(keys.enc, iv, Buffer.concat([parts.covered, mac]))]);
}

function failure(block: Uint8Array, of: Grain = 'data'): string {
  try {
    unprotect(keys, of, HEADERS[of], block);
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'protocol');
    return error.userMessage;
  }
  return assert.fail('it passed');
}

describe('protect', () => {
  it('comes back as it went, in the length that the specification gives', () => {
    fc.assert(
      fc.property(grain, fc.uint8Array({ maxLength: 400 }), (of, body) => {
        const block = protect(keys, of, HEADERS[of], body, systemRandom);
        const multiple = of === 'control' ? 64 : 8;
        const covered = HEADERS[of].length + body.length + 20;
        assert.equal(block.length, 8 + (Math.floor(covered / multiple) + 1) * multiple);
        assert.deepEqual(unprotect(keys, of, HEADERS[of], block), Buffer.from(body));
      }),
    );
  });
  it('hides the length of a password', () => {
    const lengths = ['PASS a', 'PASS a much longer password, 36 bytes'].map(
      (line) =>
        protect(keys, 'control', HEADERS.control, Buffer.from(line.slice(0, 35)), systemRandom).length,
    );
    assert.equal(lengths[0], lengths[1]);
  });
  it('uses a fresh initial vector for each block', () => {
    const blocks = Array.from({ length: 100 }, () =>
      protect(keys, 'data', HEADERS.data, Buffer.alloc(9), systemRandom),
    );
    assert.equal(new Set(blocks.map((block) => block.subarray(0, 8).toString('hex'))).size, 100);
  });
  it('refuses a flipped bit anywhere, with one message', () => {
    const messages = new Set<string>();
    fc.assert(
      fc.property(grain, fc.uint8Array({ maxLength: 99 }), fc.nat(100_000), (of, body, bit) => {
        messages.add(failure(flipped(protect(keys, of, HEADERS[of], body, systemRandom), bit), of));
      }),
    );
    assert.equal(messages.size, 1);
  });
  it('refuses any cut', () => {
    const block = protect(keys, 'data', HEADERS.data, Buffer.alloc(50), systemRandom);
    for (let end = 0; end < block.length; end += 1) failure(block.subarray(0, end));
  });
  it('does not tell padding and HMAC errors apart', () => {
    const body = Buffer.concat([HEADERS.data, Buffer.alloc(7, 5)]);
    const pad = (bytes: readonly number[]): Buffer => Buffer.concat([body, Buffer.from(bytes)]);
    const short = (last: number): Buffer => Buffer.concat([HEADERS.data, Buffer.alloc(8, last)]);
    const good = pad([1]);
    assert.equal(unprotect(keys, 'data', HEADERS.data, forged({ covered: good })).length, 7);
    const failures = [
      forged({ covered: good, mac: Buffer.alloc(20) }),
      forged({ covered: pad([0]) }),
      forged({ covered: pad([9]) }),
      forged({ covered: pad([255]) }),
      forged({ covered: pad([2]) }),
      forged({ covered: short(21) }),
      forged({ covered: Buffer.concat([Buffer.alloc(12, 3), Buffer.alloc(8, 8)]) }),
      Buffer.alloc(0),
      Buffer.alloc(8),
      Buffer.alloc(40),
      Buffer.alloc(47),
    ].map((block) => failure(block));
    assert.deepEqual(new Set(failures), new Set([failures[0]]));
  });
  it('refuses another header', () => {
    const block = protect(keys, 'control', HEADERS.control, Buffer.from('NOOP'), systemRandom);
    for (let bit = 0; bit < 64; bit += 1)
      assert.throws(() => unprotect(keys, 'control', flipped(HEADERS.control, bit), block), {
        code: 'protocol',
      });
  });
});
