// What the kernel says about tables, read from bytes; that it says so is in test/lab/show-7-processes, "flushes all rules".
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterMessages, noChanges } from '../../../daemon/divert/linux/table-events.js';

const tables = ['ftpseal', 'ftpseal_hold'];
const [NEWTABLE, DELTABLE, DELRULE, NEWGEN] = [0, 2, 8, 15];

function attribute(type: number, text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  const bytes = Buffer.alloc(4 + ((body.length + 3) & ~3));
  bytes.writeUInt16LE(4 + body.length, 0);
  bytes.writeUInt16LE(type, 2);
  body.copy(bytes, 4);
  return bytes;
}

function message(type: number, text: string, family = 1): Buffer {
  const parts = type === NEWGEN ? [attribute(1, 'xxx'), attribute(3, text)] : [attribute(1, text)];
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(20);
  head.writeUInt32LE(20 + body.length, 0);
  head.writeUInt16LE((10 << 8) | type, 4);
  head.writeUInt8(type === NEWGEN ? 0 : family, 16);
  return Buffer.concat([head, body]);
}

function seen(...datagrams: readonly Buffer[]) {
  const after = datagrams.reduce((known, bytes) => afterMessages(known, tables, bytes), noChanges);
  return { ...Object.fromEntries(after.states), by: after.by };
}

test('a flush takes both tables, and the program is named by the end of its transaction', () => {
  const flush = Buffer.concat([
    message(DELRULE, 'ftpseal_hold'),
    message(DELTABLE, 'ftpseal_hold'),
    message(DELTABLE, 'other'),
    message(DELTABLE, 'ftpseal'),
  ]);
  assert.deepEqual(seen(flush, message(NEWGEN, 'nft')), { ftpseal: 'gone', ftpseal_hold: 'gone', by: 'nft' });
});

test('deleted and made again is whole, robbed of a rule is not; what concerns others does not count', () => {
  const again = Buffer.concat([message(DELTABLE, 'ftpseal_hold'), message(NEWTABLE, 'ftpseal_hold')]);
  const ours = [again, message(NEWGEN, 'node')];
  assert.deepEqual(seen(...ours), { ftpseal_hold: 'whole', by: 'node' });
  const robbed = [...ours, message(DELRULE, 'ftpseal_hold'), message(NEWGEN, 'thief')];
  assert.deepEqual(seen(...robbed), { ftpseal_hold: 'damaged', by: 'thief' });
  const others = [message(DELTABLE, 'ftpseal', 2), message(DELTABLE, 'filter'), message(NEWGEN, 'ufw')];
  assert.deepEqual(seen(...others), { by: undefined });
});

test('bytes that are no messages change nothing', () => {
  const whole = message(DELTABLE, 'ftpseal');
  for (let length = 0; length < whole.length; length += 1)
    assert.deepEqual(seen(whole.subarray(0, length)), { by: undefined });
  assert.deepEqual(seen(Buffer.alloc(64, 0xff)), { by: undefined });
});
