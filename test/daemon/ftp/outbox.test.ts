import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Effect } from '../../../daemon/ftp/effects.js';
import { HELD_REPLIES_MAX } from '../../../daemon/ftp/limits.js';
import { Outbox } from '../../../daemon/ftp/outbox.js';

const bytes = (text: string): Buffer => Buffer.from(text);

function show(effects: readonly Effect[]): readonly string[] {
  return effects.map((effect) => ('bytes' in effect ? Buffer.from(effect.bytes).toString() : effect.kind));
}

describe('Outbox', () => {
  it('keeps the order and is empty once taken', () => {
    const outbox = new Outbox();
    outbox.toClient(bytes('a'));
    outbox.toServer(bytes('b'));
    outbox.toClient(bytes(''));
    outbox.emit({ kind: 'hangUpServer' });
    assert.deepEqual(show(outbox.take()), ['a', 'b', 'hangUpServer']);
    assert.deepEqual(outbox.take(), []);
  });
  it('holds replies back behind one that waits, and nothing else', () => {
    const outbox = new Outbox();
    outbox.hold();
    outbox.toClient(bytes('2'));
    outbox.toServer(bytes('to the server'));
    outbox.toClient(bytes('3'));
    assert.deepEqual(show(outbox.take()), ['to the server']);
    outbox.release(bytes('1'));
    outbox.toClient(bytes('4'));
    assert.deepEqual(show(outbox.take()), ['1', '2', '3', '4']);
  });
  it('overflows at its limit', () => {
    const outbox = new Outbox();
    outbox.hold();
    outbox.toClient(Buffer.alloc(HELD_REPLIES_MAX));
    assert.equal(outbox.overflowing, false);
    outbox.toClient(bytes('x'));
    assert.equal(outbox.overflowing, true);
  });
  it('clears only timers that run', () => {
    const outbox = new Outbox();
    outbox.clearTimer('handshake');
    outbox.setTimer('handshake', 1);
    outbox.clearTimer('negotiation');
    outbox.clearTimer('handshake');
    outbox.clearTimer('handshake');
    assert.deepEqual(show(outbox.take()), ['setTimer', 'clearTimer']);
    outbox.setTimer('negotiation', 1);
    assert.equal(outbox.expire('handshake'), false);
    assert.equal(outbox.expire('negotiation'), true);
    assert.equal(outbox.expire('negotiation'), false);
  });
  it('says nothing once it is sealed', () => {
    const outbox = new Outbox();
    outbox.emit({ kind: 'close' });
    outbox.seal();
    outbox.toClient(bytes('x'));
    assert.deepEqual(show(outbox.take()), ['close']);
  });
});
