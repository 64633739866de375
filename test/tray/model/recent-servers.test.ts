import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { updateRecent, type RecentServer } from '../../../tray/model/recent-servers.js';
import { session } from './fixture.js';

const at = (label: string, startedAt: number, encrypted = true): RecentServer => ({
  label,
  encrypted,
  startedAt,
});

describe('recent servers', () => {
  it('are the last three, each once, and stay after their sessions ended', () => {
    const first = updateRecent(
      [],
      [session('1', { name: 'a', startedAt: 1 }), session('2', { name: 'b', startedAt: 2 })],
    );
    assert.deepEqual(first, [at('b', 2), at('a', 1)]);
    assert.equal(updateRecent(first, []), first, 'nothing changed');
    const later = [session('3', { name: 'a', startedAt: 3 }), session('4', { name: 'c', startedAt: 4 })];
    const second = updateRecent(first, later);
    assert.deepEqual(second, [at('c', 4), at('a', 3), at('b', 2)]);
    assert.deepEqual(updateRecent(second, [session('5', { name: 'd', startedAt: 5 })]), [
      at('d', 5),
      at('c', 4),
      at('a', 3),
    ]);
  });

  it('tell what is encrypted: the client’s own TLS is, what was relayed in a pause is not', () => {
    const paused = { protection: 'tunnelled', warning: 'paused' } as const;
    assert.equal(updateRecent([], [session('1', { protection: 'tunnelled' })])[0]?.encrypted, true);
    assert.equal(updateRecent([], [session('1', paused)])[0]?.encrypted, false);
    assert.equal(updateRecent([], [session('1', { protection: 'relayed' })])[0]?.encrypted, false);
    assert.deepEqual(updateRecent([], [session('1', { protection: 'none' })]), []);
  });

  it('show the unencrypted one of two sessions that began together', () => {
    const both = [session('1', { startedAt: 1 }), session('2', { startedAt: 1, protection: 'cleartext' })];
    assert.deepEqual(updateRecent([], both), [at('192.0.2.1', 1, false)]);
  });
});
