// When two records are the same: by the comparison that walks through all of them, and by the keys that sets of them are made of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PinRecord } from '../../../daemon/trust/pin-record.js';
import { isSamePin, isSameRecord, pinKey, recordKey } from '../../../daemon/trust/records.js';
import { at, key, pin } from './fixture.js';

const variants: readonly PinRecord[] = [
  pin(),
  pin({ count: 7, comment: 'met again' }),
  pin({ owner: { kind: 'machine' } }),
  pin({ owner: { kind: 'user', uid: 1001 } }),
  pin(at('192.0.2.2')),
  pin(at('192.0.2.1', 2121)),
  pin({ name: 'ftp.example.com' }),
  pin({ name: 'FTP.example.com' }),
  pin({ fingerprint: key('b') }),
];

test('two records compare as their keys do: owner, address and port, for places the name, for keys the fingerprint', () => {
  for (const a of variants)
    for (const b of variants) {
      const which = `${JSON.stringify(a)} ${JSON.stringify(b)}`;
      assert.equal(isSameRecord(a, b), recordKey(a) === recordKey(b), which);
      assert.equal(isSamePin(a, b), pinKey(a) === pinKey(b), which);
    }
  const first = variants[0] ?? pin();
  const alike = (same: (a: PinRecord, b: PinRecord) => boolean) => variants.filter((one) => same(first, one));
  assert.equal(alike(isSameRecord).length, 3);
  assert.equal(alike(isSamePin).length, 4);
});
