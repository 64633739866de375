import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brandKey } from '../../../../daemon/security/safetp/branded-key.js';
import { formatKeyText, parseKeyText } from '../../../../daemon/security/safetp/key-text.js';
import { serverKey } from './fixture.js';

const text = formatKeyText(serverKey.branded);
const bad = { name: 'Fault', code: 'key' };

describe('a branded key as text', () => {
  it('comes back as it went', () => {
    assert.match(text, /^-----BEGIN SAFETP PUBLIC KEY-----\nBrand: ftp\.example\.org\n\n[A-Za-z0-9+/]{64}\n/);
    assert.deepEqual(parseKeyText(text).encoded, serverKey.branded.encoded);
  });
  it('is read with a mail around it, white space in it and any line ends', () => {
    const mail = `Dear user:\n\n${text.replaceAll('\n', '\r\n  ')}\nYours`;
    assert.deepEqual(parseKeyText(mail).encoded, serverKey.branded.encoded);
  });
  it('is branded by what is signed, not by what stands beside it', () => {
    assert.equal(parseKeyText(text.replace('Brand: ftp', 'Brand: bank')).brand, 'ftp.example.org');
  });
  it('with a colon in its brand still reads', () => {
    const key = brandKey(serverKey.signer, 'a: b');
    assert.equal(parseKeyText(formatKeyText(key)).brand, 'a: b');
  });
  it('is refused with a sentence when it is cut, damaged, doubled or something else', () => {
    const damaged = text.replace(/\n\n(.)/, (_, first: string) => `\n\n${first === 'A' ? 'B' : 'A'}`);
    const middle = text.split('\n');
    const cases = [
      '',
      text.slice(0, -20),
      damaged,
      text + text,
      middle.toSpliced(5, 1).join('\n'),
      'x'.repeat(20_000),
    ];
    for (const one of cases) assert.throws(() => parseKeyText(one), bad);
  });
});
