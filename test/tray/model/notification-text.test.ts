import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { moreText, notificationText } from '../../../tray/model/notification-text.js';
import { question } from './fixture.js';

describe('a notification', () => {
  it('says who waits for whom, what is odd, and what was not done', () => {
    assert.deepEqual(notificationText(question('1')), {
      summary: 'New server files.example.com',
      body: 'curl wants to reach files.example.com (192.0.2.7) and waits. Its key was never seen here: compare it before you trust it. Nothing was sent to the server yet.',
      urgent: false,
    });
  });

  it('is urgent for what may be an attack, and only for that', () => {
    for (const kind of ['changed', 'downgraded'] as const) {
      const text = notificationText(
        question('1', { concern: { kind, earlier: [] }, waiting: 0, refused: 2 }),
      );
      assert.equal(text.urgent, true);
      assert.match(text.body, /^curl was kept from .* may be an attack/);
    }
    for (const concern of [
      { kind: 'cleartext' },
      { kind: 'vouched', name: 'a' },
      { kind: 'replicated', of: 'a' },
      { kind: 'renewed', name: 'a', earlier: [] },
    ] as const) {
      assert.equal(notificationText(question('1', { concern })).urgent, false);
    }
  });

  it('escapes what comes from outside', () => {
    const connection = { ...question('1').connection, name: '<a href="x">&\u202e' };
    const { summary, body } = notificationText(question('1', { connection, program: "<b>'" }));
    assert.equal(summary, 'New server <a href="x">&?', 'the summary is no markup');
    assert.match(body, /^&lt;b&gt;&#39; wants to reach &lt;a href=&quot;x&quot;&gt;&amp;\? /);
  });

  it('for the rest counts', () => {
    assert.equal(moreText(1).summary, 'One more server waits');
    assert.equal(moreText(12).summary, '12 more servers wait');
  });
});
