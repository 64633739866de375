import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Protection, type ProtectionState } from '../../../daemon/ftp/protection.js';
import type { DataProtection } from '../../../shared/policy.js';

/** Asks and answers in turn: each answer is a code and whether the client was logged in. */
function settle(
  wanted: DataProtection,
  answers: readonly (readonly [number, 'before' | 'after'])[],
): ProtectionState {
  const protection = new Protection(wanted);
  for (const [code, login] of answers) {
    protection.ask();
    protection.onProtReply({ code, lines: [], raw: Buffer.alloc(0) }, login === 'after');
  }
  protection.ask();
  return protection.state;
}

describe('the data protection', () => {
  const cases: readonly (readonly [
    DataProtection,
    readonly (readonly [number, 'before' | 'after'])[],
    ProtectionState,
  ])[] = [
    ['private', [], 'asked'],
    ['private', [[200, 'before']], 'private'],
    ['private', [[530, 'before']], 'asked'],
    [
      'private',
      [
        [530, 'before'],
        [200, 'after'],
      ],
      'private',
    ],
    [
      'private',
      [
        [530, 'before'],
        [534, 'after'],
      ],
      'refused',
    ],
    [
      'private',
      [
        [530, 'before'],
        [530, 'before'],
        [530, 'before'],
      ],
      'refused',
    ],
    ['private', [[534, 'after']], 'refused'],
    ['auto', [[200, 'before']], 'private'],
    ['auto', [[534, 'after']], 'clear'],
    [
      'auto',
      [
        [534, 'before'],
        [200, 'after'],
      ],
      'private',
    ],
    [
      'auto',
      [
        [530, 'before'],
        [530, 'before'],
        [530, 'before'],
      ],
      'clear',
    ],
    ['clear', [[200, 'before']], 'clear'],
    ['clear', [[534, 'before']], 'clear'],
  ];
  for (const [wanted, answers, expected] of cases) {
    it(`${wanted}: ${answers.map(([code, login]) => `${code} ${login} login`).join(', ')} is ${expected}`, () => {
      assert.equal(settle(wanted, answers), expected);
    });
  }
  it('asks in RFC 4217 order, once at a time', () => {
    assert.deepEqual(new Protection('private').ask(), ['PBSZ 0', 'PROT P']);
    assert.deepEqual(new Protection('auto').ask(), ['PBSZ 0', 'PROT P']);
    const protection = new Protection('clear');
    assert.deepEqual(protection.ask(), ['PBSZ 0', 'PROT C']);
    assert.deepEqual(protection.ask(), []);
  });
  it('is unknown again after a reset', () => {
    const protection = new Protection('private');
    protection.ask();
    protection.onProtReply({ code: 200, lines: [], raw: Buffer.alloc(0) }, false);
    assert.equal(protection.settled, true);
    protection.reset();
    assert.equal(protection.state, 'unknown');
    assert.deepEqual(protection.ask(), ['PBSZ 0', 'PROT P']);
  });
});
