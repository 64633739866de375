import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AnswerWatch } from '../../../daemon/ftp/answer-watch.js';
import { Control } from '../../../daemon/ftp/control.js';
import { DEFAULT_CONTEXT } from '../../transcripts/scenario.js';

function watched(): { readonly control: Control; readonly look: () => string } {
  const control = new Control(DEFAULT_CONTEXT);
  const watch = new AnswerWatch(control);
  return {
    control,
    look: () => {
      watch.look();
      const timers = control.outbox.take().filter(({ kind }) => kind.endsWith('Timer'));
      return [...timers.map(({ kind }) => kind), watch.verb ?? 'nothing'].join(' ');
    },
  };
}

function answer(control: Control, code: number): void {
  control.pairing.match(code);
  control.pairing.answered();
}

describe('AnswerWatch', () => {
  it('gives each command of ours its own time', () => {
    const { control, look } = watched();
    control.sendOwn('PBSZ 0', 'pbsz');
    control.sendOwn('PROT P', 'prot');
    assert.equal(look(), 'setTimer PBSZ');
    assert.equal(look(), 'PBSZ');
    answer(control, 200);
    assert.equal(look(), 'setTimer PROT');
    answer(control, 200);
    assert.equal(look(), 'clearTimer nothing');
  });
  it('waits for its turn behind a command of the client', () => {
    const { control, look } = watched();
    control.pairing.expect({ kind: 'relay', verb: 'PASS', argument: '', outOfBand: false });
    control.sendOwn('PROT P', 'prot');
    assert.equal(look(), 'nothing');
    answer(control, 230);
    assert.equal(look(), 'setTimer PROT');
  });
  it('does not wait for an ABOR that may never be answered', () => {
    const { control, look } = watched();
    control.pairing.expect({ kind: 'abort' });
    control.sendOwn('NOOP', 'silent');
    assert.equal(look(), 'setTimer NOOP');
  });
  it('goes on while the answer comes', () => {
    const { control, look } = watched();
    control.sendOwn('PASV', 'setup');
    assert.equal(look(), 'setTimer PASV');
    control.pairing.match(227);
    assert.equal(look(), 'PASV');
    control.pairing.answered();
    assert.equal(look(), 'clearTimer nothing');
  });
  it('leaves AUTH to the negotiation', () => {
    const { control, look } = watched();
    control.sendOwn('AUTH TLS', 'auth');
    assert.equal(look(), 'nothing');
  });
});
