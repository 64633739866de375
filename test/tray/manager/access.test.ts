import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AccessBook, MAX_SESSIONS, MAX_TOKENS } from '../../../tray/manager/access.js';

describe('tokens', () => {
  it('open their page once, within a minute', () => {
    let now = 0;
    const access = new AccessBook(() => now);
    const token = access.issue('history');
    assert.match(token, /^[\w-]{43}$/);
    assert.equal(access.redeem(token), 'history');
    assert.equal(access.redeem(token), undefined);
    const late = access.issue('now');
    now = 60_001;
    assert.equal(access.redeem(late), undefined);
    assert.equal(access.redeem(''), undefined);
  });

  it('lead to the manager’s own pages and nowhere else', () => {
    const access = new AccessBook();
    assert.equal(access.redeem(access.issue('question/ab12cd')), 'question/ab12cd');
    for (const page of ['//evil.test/', 'http://evil.test', '../x', 'question/<script>', 'open', '']) {
      assert.equal(access.redeem(access.issue(page)), 'now', page);
    }
  });

  it('are bounded: the oldest gives way', () => {
    const access = new AccessBook();
    const first = access.issue('now');
    const others = Array.from({ length: MAX_TOKENS }, () => access.issue('now'));
    assert.equal(access.redeem(first), undefined);
    assert.equal(access.redeem(others.at(-1) ?? ''), 'now');
  });
});

describe('sessions', () => {
  it('are known by their cookie, and end when nobody uses them', () => {
    let now = 0;
    const access = new AccessBook(() => now);
    const { id, csrf } = access.open();
    assert.notEqual(id, csrf);
    now = 29 * 60_000;
    assert.equal(access.find(id)?.csrf, csrf);
    now += 29 * 60_000;
    assert.equal(access.find(id)?.csrf, csrf);
    now += 31 * 60_000;
    assert.equal(access.find(id), undefined);
    assert.equal(access.find(undefined), undefined);
    assert.equal(access.find(csrf), undefined);
  });

  it('are bounded: the one that was not used for longest gives way', () => {
    let now = 0;
    const access = new AccessBook(() => now++);
    const first = access.open();
    const second = access.open();
    access.find(first.id);
    for (let n = 2; n <= MAX_SESSIONS; n++) access.open();
    assert.equal(access.find(second.id), undefined);
    assert.ok(access.find(first.id));
  });
});
