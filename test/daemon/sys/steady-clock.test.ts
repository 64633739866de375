import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PromptBroker } from '../../../daemon/trust/prompt-broker.js';
import { Pauses } from '../../../daemon/proxy/pauses.js';
import { connection, key, keyQuestion } from '../trust/fixture.js';
import { shownTime, steadyNow } from '../../../daemon/sys/steady-clock.js';

const day = 86_400_000;

test('a clock that jumps moves what is shown and nothing that waits', (t) => {
  const pauses = new Pauses({ obstacle: undefined });
  pauses.start(7, 60_000);
  const before = steadyNow();
  const real = Date.now;
  for (const jump of [-400 * day, 400 * day]) {
    t.mock.method(Date, 'now', () => real() + jump);
    assert.ok(steadyNow() - before < day);
    const left = (pauses.untilOf(7) ?? 0) - Date.now();
    assert.ok(left > 0 && left <= 60_000, `a pause of a minute lasts ${left} ms more`);
    assert.ok(Math.abs(shownTime(steadyNow()) - Date.now()) < 1000);
    t.mock.restoreAll();
  }
});

test('a question that waits is answered or times out by the steady clock, and shows the new time', async (t) => {
  const broker = new PromptBroker();
  const waiting = broker.ask({
    sessionId: 's',
    owner: { kind: 'user', uid: 1000 },
    connection: connection(),
    question: keyQuestion(key('a')),
    concern: { kind: 'new', revoked: [] },
    why: 'new',
    program: undefined,
    timeoutMs: 50,
  });
  const real = Date.now;
  t.mock.method(Date, 'now', () => real() - 400 * day);
  const [open] = broker.list();
  assert.ok(Math.abs((open?.deadline ?? 0) - Date.now()) < 1000);
  assert.equal((await waiting).kind, 'timedOut');
});
