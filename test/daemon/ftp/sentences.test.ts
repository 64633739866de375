import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { oneLine, ownReply } from '../../../daemon/ftp/sentences.js';

describe('a reply of ours', () => {
  it('is one line, whatever was put in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1000 }), (text) => {
        const reply = ownReply(421, text);
        assert.match(reply, /^421 ftpseal: [^\r\n\0]*\r\n$/);
        assert.ok(reply.length < 330);
      }),
    );
  });
  it('shows our apostrophe as every program does', () => {
    assert.equal(oneLine('can’t'), "can't");
  });
  it('can end no line and begin no reply', () => {
    assert.equal(oneLine('gone\r\n230 logged in\0'), 'gone 230 logged in ');
  });
});
