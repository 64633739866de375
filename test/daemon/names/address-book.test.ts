import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressBook } from '../../../daemon/names/address-book.js';
import { parseIpAddress, type IpAddress } from '../../../shared/endpoint.js';

const address = (text: string): IpAddress => parseIpAddress(text)!;
const here = address('192.0.2.1');

function book() {
  const clock = { now: 0 };
  return { clock, book: new AddressBook(() => clock.now) };
}

describe('the book of names and addresses', () => {
  it('has the name that was heard last first, and keeps to the time that an answer is good for', () => {
    const { clock, book: names } = book();
    names.hear({ name: 'a.test', addresses: [here, address('192.0.2.2')], ttlSeconds: 300 });
    names.hear({ name: 'b.test', addresses: [here], ttlSeconds: 0 });
    assert.deepEqual(names.namesOf(here), { current: ['b.test', 'a.test'], former: [], incomplete: false });
    clock.now = 61_000;
    assert.deepEqual(names.namesOf(here), { current: ['a.test'], former: ['b.test'], incomplete: false });
    names.hear({ name: 'a.test', addresses: [here], ttlSeconds: 300 });
    clock.now = 301_000;
    assert.deepEqual(names.namesOf(here).current, ['a.test']);
    clock.now = 25 * 3_600_000;
    assert.deepEqual(names.namesOf(here), { current: [], former: [], incomplete: false });
  });

  it('says that it had to forget names of an address, until that does not matter any more', () => {
    const { clock, book: names } = book();
    for (let n = 0; n < 10; n += 1) names.hear({ name: `n${n}.test`, addresses: [here], ttlSeconds: 60 });
    assert.equal(names.namesOf(here).incomplete, true);
    assert.equal(names.namesOf(here).current.length, 9);
    assert.equal(names.namesOf(address('192.0.2.2')).incomplete, false);
    clock.now = 25 * 3_600_000;
    assert.equal(names.namesOf(here).incomplete, false);
  });

  it('is bounded, and says of every address that it had to forget some', () => {
    const { book: names } = book();
    for (let n = 0; n < 20_000; n += 1)
      names.hear({ name: 'x.test', addresses: [address(`10.1.${n >> 8}.${n & 255}`)], ttlSeconds: 60 });
    assert.deepEqual(names.namesOf(address('10.1.0.0')), { current: [], former: [], incomplete: true });
    assert.equal(names.namesOf(here).incomplete, true);
  });

  it('is incomplete once something could not be heard', () => {
    const { book: names } = book();
    names.miss();
    assert.equal(names.namesOf(here).incomplete, true);
  });
});
