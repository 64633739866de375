import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toBase64 } from '../../../../daemon/security/safetp/base64.js';
import { LineOpener, LineSealer, isInnerLine } from '../../../../daemon/security/safetp/control-lines.js';
import { controlHeader } from '../../../../daemon/security/safetp/header.js';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';
import { protect } from '../../../../daemon/security/safetp/protect.js';
import { SessionKeys } from '../../../../daemon/security/safetp/session-keys.js';
import { flipped } from './fixture.js';

const keys = new SessionKeys(systemRandom(48), systemRandom(20));
const line = fc.uint8Array({ maxLength: 300 }).filter((bytes) => isInnerLine(bytes));

function sealed(...lines: readonly string[]): readonly Buffer[] {
  const sealer = new LineSealer('c2s', keys, systemRandom);
  return lines.map((text) => sealer.seal(Buffer.from(text, 'latin1')).wire.subarray(0, -2));
}

describe('protected control lines', () => {
  it('come back as they went, numbered from 0', () => {
    fc.assert(
      fc.property(fc.constantFrom('c2s' as const, 's2c' as const), fc.array(line), (direction, lines) => {
        const sealer = new LineSealer(direction, keys, systemRandom);
        const opener = new LineOpener(direction, keys);
        lines.forEach((bytes, index) => {
          const { wire, sequence } = sealer.seal(bytes);
          assert.equal(sequence, index);
          assert.match(
            wire.toString('latin1'),
            direction === 'c2s' ? /^ENC [!-~]+\r\n$/ : /^632 [!-~]+\r\n$/,
          );
          const opened = opener.open(wire.subarray(0, -2));
          assert.deepEqual(opened, { kind: 'line', line: Buffer.from(bytes), sequence: index });
        });
      }),
    );
  });
  it('are read whatever the case of the verb', () => {
    const [wire = Buffer.alloc(0)] = sealed('NOOP');
    const lower = Buffer.concat([Buffer.from('enc '), wire.subarray(4)]);
    assert.equal(new LineOpener('c2s', keys).open(lower).kind, 'line');
  });
  it('with a flipped bit anywhere end the session, and nothing opens after that', () => {
    const [wire = Buffer.alloc(0)] = sealed('PASS secret');
    for (let bit = 0; bit < wire.length * 8; bit += 1) {
      const changed = flipped(wire, bit);
      // The case of the verb is no part of what is protected.
      if (
        changed.toString('latin1').toUpperCase().startsWith('ENC ') &&
        changed.subarray(4).equals(wire.subarray(4))
      )
        continue;
      const opener = new LineOpener('c2s', keys);
      assert.notEqual(opener.open(changed).kind, 'line');
      assert.equal(opener.open(wire).kind, 'broken');
    }
  });
  it('that are cut end the session', () => {
    const [wire = Buffer.alloc(0)] = sealed('PASS secret');
    for (let end = 0; end < wire.length; end += 1)
      assert.notEqual(new LineOpener('c2s', keys).open(wire.subarray(0, end)).kind, 'line');
  });
  it('in clear are told from those that do not hold', () => {
    const opener = new LineOpener('c2s', keys);
    assert.deepEqual(opener.open(Buffer.from('NOOP')), { kind: 'clear' });
    assert.deepEqual(new LineOpener('c2s', keys).open(Buffer.from('ENC AAAA')), { kind: 'broken' });
    for (const text of ['632-AAAA', '631 AAAA', '633 AAAA', '200 ok'])
      assert.deepEqual(new LineOpener('s2c', keys).open(Buffer.from(text)), { kind: 'clear' });
  });
  it('hold no line break: the sender refuses, the receiver ends the session', () => {
    for (const text of ['USER a\nPASS b', 'USER a\r\nPASS b', 'a\rb', 'a\r', '\n', 'x'.repeat(4097)]) {
      assert.throws(() => sealed(text), { name: 'Fault', code: 'protocol' });
      const block = protect(
        keys.control('c2s'),
        'control',
        controlHeader('c2s', 0),
        Buffer.from(text),
        systemRandom,
      );
      assert.deepEqual(new LineOpener('c2s', keys).open(Buffer.from(`ENC ${toBase64(block)}`)), {
        kind: 'broken',
      });
    }
  });
  it('may hold CR NUL, and 4096 bytes', () => {
    assert.ok(isInnerLine(Buffer.from('a\r\0b')));
    const [wire = Buffer.alloc(0)] = sealed('x'.repeat(4096));
    assert.ok(wire.length + 2 <= 8192);
    assert.equal(new LineOpener('c2s', keys).open(wire).kind, 'line');
  });
});
