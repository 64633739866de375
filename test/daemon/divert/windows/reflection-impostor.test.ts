// Somebody else at a worker's port, where the machine has no rules of its own that would tell (Windows).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Reflection } from '../../../../daemon/divert/windows/reflection.js';
import { Rules } from '../../../../daemon/divert/windows/rules.js';
import { parseSid } from '../../../../shared/user-id.js';
import { plan } from '../plan-fixture.js';
import { flag, packet } from './packet-fixture.js';
import type { UserId } from '../../../../shared/user-id.js';

const sid = (last: number) => {
  const parsed = parseSid(`S-1-5-21-1-2-3-${last}`);
  assert.ok(parsed !== undefined);
  return parsed;
};
const proxy = sid(500);

/** The verdict on the answer of a worker's port, whose socket is this user's, to a client's first packet. */
function answerOf(listener: UserId | undefined, ownBy: 'user' | 'port'): string {
  const reflection = new Reflection({
    ownerOf: (local) => (local.port < 40_000 ? listener : sid(1001)),
    onOpened: () => undefined,
    onClosed: () => undefined,
  });
  reflection.setRules(new Rules({ ...plan({ proxyUid: proxy }), ownBy }));
  const give = (bytes: Buffer) => reflection.translate(bytes, 0, bytes.length, 1_000_000, 'adjust');
  const me = '10.0.0.1';
  const host = '192.0.2.9';
  assert.equal(
    give(packet({ from: me, fromPort: 40_000, to: host, toPort: 21, flags: flag.syn })),
    'reflect',
  );
  const answer = { from: me, fromPort: 31_100, to: host, toPort: 40_000 };
  const verdict = give(packet({ ...answer, flags: flag.syn | flag.ack }));
  if (verdict === 'reflect') assert.equal(give(packet({ ...answer, flags: flag.ack })), 'reflect');
  return verdict;
}

describe('who answers at a worker’s port', () => {
  test('the proxy may, the system, and whom Windows does not name', () => {
    assert.equal(answerOf(proxy, 'port'), 'reflect');
    assert.equal(answerOf(parseSid('S-1-5-18'), 'port'), 'reflect');
    assert.equal(answerOf(undefined, 'port'), 'reflect');
  });

  test('another user may not', () => {
    assert.equal(answerOf(sid(1002), 'port'), 'drop');
  });

  test('on Linux a rule of the machine tells, and the kernel names no owner for such a socket', () => {
    assert.equal(answerOf(0, 'user'), 'reflect');
  });
});
