import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Control } from '../../../daemon/ftp/control.js';
import type { HostMode } from '../../../shared/policy.js';
import { endpoint } from '../../transcripts/notation.js';
import { DEFAULT_CONTEXT } from '../../transcripts/scenario.js';

function control(server: string, mode: HostMode = 'explicit', name?: string): Control {
  const policy = { ...DEFAULT_CONTEXT.policy, mode, name };
  return new Control({ ...DEFAULT_CONTEXT, server: endpoint(server), policy });
}

describe('Control', () => {
  const ports: readonly (readonly [string, HostMode, number])[] = [
    ['192.0.2.1:21', 'explicit', 21],
    ['192.0.2.1:2121', 'explicit', 2121],
    ['192.0.2.1:21', 'implicit', 990],
    ['192.0.2.1:2121', 'implicit', 2121],
    ['192.0.2.1:21', 'tunnel', 21],
  ];
  for (const [server, mode, port] of ports) {
    it(`dials ${port} for ${server} in ${mode} mode`, () => {
      const it = control(server, mode);
      it.dial();
      assert.deepEqual(it.outbox.take(), [{ kind: 'dial', port }]);
    });
  }
  it('names the server as people know it', () => {
    assert.equal(control('192.0.2.1:21').label, '192.0.2.1');
    assert.equal(control('192.0.2.1:2121').label, '192.0.2.1:2121');
    assert.equal(control('[2001:db8::1]:21').label, '[2001:db8::1]');
    assert.equal(control('192.0.2.1:21', 'explicit', 'ftp.example.com').label, 'ftp.example.com');
  });
  it('ends once, and says nothing afterwards', () => {
    const it = control('192.0.2.1:21');
    it.fail('over.');
    it.fail('over again.');
    it.close();
    it.to('greeting');
    it.sendOwn('NOOP', 'silent');
    assert.equal(it.phase, 'closed');
    assert.deepEqual(
      it.outbox.take().map((effect) => effect.kind),
      ['sendClient', 'close'],
    );
  });
  it('forgets what the server owes when the stream starts anew', () => {
    const it = control('192.0.2.1:21');
    it.sendOwn('AUTH TLS', 'auth');
    it.replies.push(Buffer.from('234-half'));
    it.startStream();
    assert.equal(it.pairing.idle, true);
    assert.equal(it.replies.midReply, false);
  });
  it('refuses a transition that the table does not have', () => {
    assert.throws(() => {
      control('192.0.2.1:21').to('secured');
    }, /no transition/);
  });
});
