import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findBrowsers } from '../../../tray/windows/browsers.js';
import { dialogArguments } from '../../../tray/windows/dialog.js';
import { question } from '../model/fixture.js';

describe('the dialog without a browser', () => {
  it('shows the whole fingerprint and may trust for one session only', () => {
    const argv = dialogArguments(question('3f2a91'));
    const text = argv.find((one) => one.startsWith('--text=')) ?? '';
    assert.match(text, /Key: SHA256: (?:aaaa ){10}aaY\n/);
    assert.deepEqual(argv.slice(argv.indexOf('--extra-button')).slice(0, 2), [
      '--extra-button',
      'Trust this time',
    ]);
    assert.ok(argv.includes('--default-cancel'));
    assert.ok(argv.includes('--no-markup'));
    assert.equal(
      argv.some((one) => /always/i.test(one)),
      false,
    );
  });

  it('offers no trust for what may be an attack, and says where it can be given', () => {
    for (const kind of ['changed', 'downgraded'] as const) {
      const argv = dialogArguments(question('3f2a91', { concern: { kind, earlier: [] } }));
      assert.equal(argv.includes('--extra-button'), false);
      assert.match(argv.join('\n'), /ftpseal prompts --answer 3f2a91/);
    }
  });

  it('cleans what the server says', () => {
    const argv = dialogArguments(question('1', { why: 'a\u202eb\u0000c' }));
    assert.ok(argv.some((one) => one.includes('a?b?c')));
  });
});

describe('browsers', () => {
  it('are none where there is no screen, and never looked for in relative folders', () => {
    assert.deepEqual(findBrowsers({ PATH: '/usr/bin' }), []);
    assert.deepEqual(findBrowsers({ PATH: '.:bin::', DISPLAY: ':0' }), []);
  });
});
