import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandQueue } from '../../../daemon/ftp/command-queue.js';
import { HELD_COMMANDS_MAX } from '../../../daemon/ftp/limits.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('CommandQueue', () => {
  it('holds commands in order', () => {
    const queue = new CommandQueue();
    assert.equal(queue.push(bytes('FEAT\r\nUSER bob\r\nPA')), 'ok');
    const verbs: (string | undefined)[] = [];
    for (let n = 0; n < 4; n += 1) {
      verbs.push(queue.head?.verb);
      queue.shift();
    }
    assert.deepEqual(verbs, ['FEAT', 'USER', undefined, undefined]);
  });
  it('keeps what came before a line without end', () => {
    const queue = new CommandQueue();
    assert.equal(queue.push(bytes(`NOOP\r\n${'x'.repeat(20_000)}`)), 'too-long');
    assert.equal(queue.head?.verb, 'NOOP');
  });
  it('gives everything back as it came', () => {
    const queue = new CommandQueue();
    const text = '\xff\xf4NOOP\r\n\r\n \xf2x\n\x16\x03half';
    queue.push(bytes(text));
    assert.equal(queue.takeRaw().toString('latin1'), text);
    assert.equal(queue.takeRaw().length, 0);
    assert.equal(queue.head, undefined);
  });
  it('wants no more beyond its limit, and again below it', () => {
    const queue = new CommandQueue();
    const line = `CWD ${'x'.repeat(1018)}\r\n`;
    for (let held = 0; held < HELD_COMMANDS_MAX; held += line.length) {
      assert.equal(queue.wantsMore, true);
      queue.push(bytes(line));
    }
    assert.equal(queue.wantsMore, false);
    queue.shift();
    assert.equal(queue.wantsMore, true);
  });
  it('tells FTP from other protocols by the first bytes', () => {
    const opening = (text: string): string => {
      const queue = new CommandQueue();
      queue.push(bytes(text));
      return queue.opening;
    };
    assert.equal(opening(''), 'undecided');
    assert.equal(opening('US'), 'undecided');
    assert.equal(opening('USER'), 'undecided');
    assert.equal(opening('USER bob'), 'ftp');
    assert.equal(opening('FEAT\r\nGET /\r\n'), 'ftp');
    assert.equal(opening('\r\n\nFEAT\r\n'), 'ftp');
    assert.equal(opening('\r\nG'), 'other');
    assert.equal(opening('G'), 'other');
    assert.equal(opening('SSH-2.0'), 'other');
    assert.equal(opening('\x16\x03\x01'), 'other');
  });
});
