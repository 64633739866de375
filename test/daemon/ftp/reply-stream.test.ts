import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COLLECTED_REPLY_MAX } from '../../../daemon/ftp/limits.js';
import { Pairing } from '../../../daemon/ftp/pairing.js';
import { ReplyStream } from '../../../daemon/ftp/reply-stream.js';

function stream(): { readonly pairing: Pairing; readonly replies: ReplyStream } {
  const pairing = new Pairing();
  return { pairing, replies: new ReplyStream(pairing) };
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('ReplyStream', () => {
  it('passes on line by line what is for the client', () => {
    const { pairing, replies } = stream();
    pairing.expect({ kind: 'relay', verb: 'FEAT', argument: '', outOfBand: false });
    replies.push(bytes('211-a\r\n b\r\n211 c\r\n'));
    const reads = [replies.read(), replies.read(), replies.read()];
    assert.deepEqual(
      reads.map((read) => read.kind === 'line' && [read.line.text, read.first, read.exchange?.kind]),
      [
        ['211-a', true, 'relay'],
        [' b', false, 'relay'],
        ['211 c', false, 'relay'],
      ],
    );
    assert.equal(replies.read().kind, 'need-more');
    assert.equal(pairing.idle, true);
  });
  it('collects what the core acts on', () => {
    const { pairing, replies } = stream();
    pairing.expect({ kind: 'setup', verb: 'PASV' });
    replies.push(bytes('227-a\r\n'));
    assert.equal(replies.read().kind, 'more');
    assert.equal(replies.read().kind, 'need-more');
    assert.equal(pairing.idle, false);
    assert.equal(replies.midReply, true);
    replies.push(bytes('227 b\r\nrest'));
    const read = replies.read();
    assert.ok(read.kind === 'reply');
    assert.deepEqual(read.reply.lines, ['227-a', '227 b']);
    assert.equal(read.reply.raw.toString(), '227-a\r\n227 b\r\n');
    assert.equal(pairing.idle, true);
    assert.equal(replies.pending, 4);
    assert.equal(replies.takeRest().toString(), 'rest');
  });
  it('a preliminary reply leaves its command outstanding', () => {
    const { pairing, replies } = stream();
    pairing.expect({ kind: 'transfer' });
    replies.push(bytes('150-a\r\n150 b\r\n'));
    assert.equal(replies.read().kind, 'more');
    const read = replies.read();
    assert.ok(read.kind === 'reply');
    assert.equal(read.reply.code, 150);
    assert.equal(pairing.transferring, true);
  });
  it('knows strays and unasked replies', () => {
    const { replies } = stream();
    replies.push(bytes('hello\r\n421 bye\r\n'));
    assert.equal(replies.read().kind, 'stray');
    const read = replies.read();
    assert.ok(read.kind === 'line');
    assert.equal(read.exchange, undefined);
  });
  it('collects no more than its limit', () => {
    const { pairing, replies } = stream();
    pairing.expect({ kind: 'auth', verb: 'AUTH' });
    replies.push(bytes(`234-${'x'.repeat(1000)}\r\n`.repeat(Math.ceil(COLLECTED_REPLY_MAX / 1000))));
    let read = replies.read();
    while (read.kind === 'more') read = replies.read();
    assert.equal(read.kind, 'too-long');
  });
});
