import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChannelOutcome } from '../../../daemon/ftp/events.js';
import { advance, settleTransfer, type Phase, type Settlement } from '../../../daemon/ftp/state.js';

const PHASES: readonly Phase[] = [
  'connecting',
  'greeting',
  'plain',
  'clientAuth',
  'clientAgreed',
  'negotiating',
  'handshaking',
  'judgingKey',
  'proving',
  'judgingClear',
  'reconnecting',
  'secured',
  'cleartext',
  'passthrough',
  'tunnel',
  'closed',
];

const allowed = (from: Phase, to: Phase): boolean => {
  try {
    return advance(from, to) === to;
  } catch {
    return false;
  }
};

describe('the phases', () => {
  it('can all end', () => {
    for (const phase of PHASES) if (phase !== 'closed') assert.ok(allowed(phase, 'closed'), phase);
  });
  it('never come back from the end, nor from protection', () => {
    for (const phase of PHASES) {
      assert.equal(allowed('closed', phase), false);
      assert.equal(allowed('secured', phase), phase === 'closed');
      assert.equal(allowed('tunnel', phase), phase === 'closed');
    }
  });
  it('reach clear only by a judgement, or back from an AUTH of the client in clear', () => {
    const before = PHASES.filter((phase) => allowed(phase, 'cleartext'));
    assert.deepEqual(before, ['clientAuth', 'judgingClear', 'reconnecting']);
  });
  it('reach protection only by a judgement, or a greeting behind it', () => {
    assert.deepEqual(
      PHASES.filter((phase) => allowed(phase, 'secured')),
      ['greeting', 'judgingKey', 'proving'],
    );
  });
  it('go on proving only after a judgement', () => {
    assert.deepEqual(
      PHASES.filter((phase) => allowed(phase, 'proving')),
      ['judgingKey'],
    );
  });
  it('go nowhere but to the end once a handshake has begun and failed', () => {
    assert.deepEqual(
      PHASES.filter((phase) => allowed('handshaking', phase)),
      ['judgingKey', 'closed'],
    );
  });
});

describe('the joint table of the final reply and the data', () => {
  const outcomes: readonly (ChannelOutcome | undefined)[] = [
    undefined,
    { kind: 'complete', bytes: 1 },
    { kind: 'truncated', bytes: 1 },
    { kind: 'clientGone', bytes: 1 },
    { kind: 'serverGone', bytes: 1 },
    { kind: 'legFailed', leg: 'server', reason: 'x' },
  ];
  const table: readonly (readonly ['download' | 'upload', boolean, readonly Settlement[]])[] = [
    ['download', false, ['wait', 'forward', 'truncated', 'forward', 'incomplete', 'noData']],
    ['upload', false, ['wait', 'forward', 'truncated', 'incomplete', 'incomplete', 'noData']],
    ['download', true, ['aborted', 'forward', 'truncated', 'forward', 'incomplete', 'noData']],
    ['upload', true, ['aborted', 'forward', 'truncated', 'incomplete', 'incomplete', 'noData']],
  ];
  for (const [direction, aborted, expected] of table) {
    it(`${direction}${aborted ? ', aborted' : ''}`, () => {
      assert.deepEqual(
        outcomes.map((outcome) => settleTransfer({ direction, outcome, aborted })),
        expected,
      );
    });
  }
});
