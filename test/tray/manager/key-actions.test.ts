import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Fault } from '../../../shared/fault.js';
import { parseIpAddress, type IpAddress } from '../../../shared/endpoint.js';
import { KeyActions } from '../../../tray/manager/key-actions.js';
import { formatKeyText } from '../../../daemon/security/safetp/key-text.js';
import { serverKey } from '../../daemon/security/safetp/fixture.js';
import { certificatePem, key, keyFingerprint, pin } from '../../daemon/trust/fixture.js';
import { MemoryLink } from './memory-link.js';

let link: MemoryLink;
let actions: KeyActions;
let now = 0;
const address = (text: string): IpAddress => parseIpAddress(text)!;
beforeEach(() => {
  link = new MemoryLink();
  now = 0;
  const resolve = (name: string) =>
    Promise.resolve(name === 'a.test' ? [address('192.0.2.1'), address('2001:db8::1')] : []);
  actions = new KeyActions({ link, now: () => now, resolve });
  link.answers['keys.add'] = ({ addresses }) => ({ keys: addresses.map(() => pin()) });
});

const isFault = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof Fault && error.code === code && text.test(error.userMessage);

describe('a key that is pasted', () => {
  it('may be a fingerprint or a certificate, for a name with all its addresses', async () => {
    const { text } = await actions.add(' a.test:2121 ', certificatePem, '');
    assert.match(text, /a\.test \(2 addresses\)/);
    assert.deepEqual(link.asked[0], [
      'keys.add',
      {
        fingerprint: keyFingerprint,
        addresses: ['192.0.2.1', '2001:db8::1'],
        port: 2121,
        name: 'a.test',
        revoked: false,
        mechanism: 'TLS',
        comment: 'added by hand from a certificate',
      },
    ]);
    await actions.add('192.0.2.7', key('a'), 'by letter');
    assert.deepEqual(link.asked[1]?.[1], {
      fingerprint: key('a'),
      addresses: ['192.0.2.7'],
      port: 21,
      revoked: false,
      mechanism: 'TLS',
      comment: 'by letter',
    });
  });

  it('may be a SafeTP key, for its own mechanism', async () => {
    const { branded } = serverKey;
    await actions.add('192.0.2.7', formatKeyText(branded), '');
    assert.deepEqual(link.asked[0]?.[1], {
      fingerprint: branded.key.fingerprint,
      addresses: ['192.0.2.7'],
      port: 21,
      revoked: false,
      mechanism: 'X-SafeTP1',
      comment: 'added by hand from a SafeTP public key',
    });
  });

  it('that is none, a private one, or a damaged SafeTP key is refused with what it is', async () => {
    await assert.rejects(actions.add('a.test', 'hello', ''), isFault('key', /neither/));
    await assert.rejects(
      actions.add('a.test', '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----', ''),
      isFault('key', /private key/),
    );
    await assert.rejects(
      actions.add(
        'a.test',
        '-----BEGIN SAFETP PUBLIC KEY-----\nBrand: x\n\nAAAA\n-----END SAFETP PUBLIC KEY-----',
        '',
      ),
      isFault('key', /SafeTP/),
    );
    await assert.rejects(actions.add('nowhere.test', key('a'), ''), isFault('usage', /no address/));
    await assert.rejects(actions.add('no server!', key('a'), ''), isFault('usage', /no server/));
    assert.deepEqual(link.asked, []);
  });
});

describe('deleting', () => {
  const place = '1000 192.0.2.1:21';
  const secured = { owner: pin().owner, address: address('192.0.2.1'), port: pin().port, lastSecured: 4 };
  beforeEach(() => {
    link.answers['keys.find'] = () => ({ keys: [pin()], secured: [secured], cleartext: [] });
    link.answers['keys.remove'] = () => ({ keys: [pin()], forgotten: 0 });
    link.answers['keys.import'] = () => ({ added: 1, unchanged: 0 });
  });

  it('is taken back with everything that went with it, once', async () => {
    const { undo } = await actions.remove(place, key('a'));
    await actions.undo(undo ?? '');
    assert.deepEqual(link.asked.at(-1), [
      'keys.import',
      { file: { version: 1, pins: [pin()], secured: [secured], cleartext: [] } },
    ]);
    await assert.rejects(actions.undo(undo ?? ''), isFault('usage', /any more/));
  });

  it('can’t be taken back after ten minutes, and so many at most are kept', async () => {
    const { undo } = await actions.remove(place, key('a'));
    now = 10 * 60_000 + 1;
    await assert.rejects(actions.undo(undo ?? ''), Fault);
    const first = await actions.remove(place, '');
    for (let n = 0; n < 16; n++) await actions.remove(place, '');
    await assert.rejects(actions.undo(first.undo ?? ''), Fault);
  });

  it('of what is not there, or of nonsense, is a sentence', async () => {
    link.answers['keys.remove'] = () => ({ keys: [], forgotten: 0 });
    await assert.rejects(actions.remove(place, key('a')), isFault('usage', /not there/));
    await assert.rejects(actions.remove('nonsense', ''), Fault);
    await assert.rejects(actions.remove(place, 'nonsense'), isFault('key', /fingerprint/));
  });
});

it('a file that is no key file is not sent on', async () => {
  for (const file of ['', '{}', '{"version":2}', 'x'])
    await assert.rejects(actions.import(file), isFault('key', /no key file/));
  assert.deepEqual(link.asked, []);
});
