import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { SecretEntries } from '../../../tray/keychain/entries.js';
import { MAX_CREDENTIAL, SplitEntries } from '../../../tray/keychain/split-entries.js';

/** A keychain that takes 1280 UTF-16 units, as Windows', and can fail at any write. */
class Small implements SecretEntries {
  readonly stuck = false;
  readonly held = new Map<string, string>();
  writesLeft = Infinity;

  get(account: string): Promise<string | undefined> {
    return Promise.resolve(this.held.get(account));
  }

  set(account: string, text: string): Promise<void> {
    if (text.length > 1280 || this.writesLeft-- <= 0) return Promise.reject(new Error('refused'));
    this.held.set(account, text);
    return Promise.resolve();
  }

  delete(account: string): Promise<void> {
    this.held.delete(account);
    return Promise.resolve();
  }
}

const text = (length: number): string => Array.from({ length }, (_, index) => String(index % 10)).join('');

describe('entries in a keychain that takes little at once', () => {
  let small: Small;
  let entries: SplitEntries;
  beforeEach(() => {
    small = new Small();
    entries = new SplitEntries(small, MAX_CREDENTIAL);
  });

  it('are one entry as long as they fit', async () => {
    await entries.set('a', text(MAX_CREDENTIAL));
    assert.deepEqual([...small.held.keys()], ['a']);
    assert.equal(await entries.get('a'), text(MAX_CREDENTIAL));
  });

  it('come back whole at any length, and leave no part when they shrink or go', async () => {
    for (const length of [1201, 4096, 2400, 2401, 10, 3000]) {
      await entries.set('a', text(length));
      assert.equal(await entries.get('a'), text(length));
      assert.equal(small.held.size, length <= 1200 ? 1 : 1 + Math.ceil(length / 1200));
    }
    await entries.delete('a');
    assert.equal(small.held.size, 0);
    assert.equal(await entries.get('a'), undefined);
  });

  it('are not there at all when the keychain failed in the middle', async () => {
    small.writesLeft = 2;
    await assert.rejects(entries.set('a', text(4000)));
    assert.equal(await entries.get('a'), undefined);
    await assert.rejects(entries.set('a', text(20_000)), /too long/);
  });
});
