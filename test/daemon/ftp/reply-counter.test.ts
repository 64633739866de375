import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReplyCounter } from '../../../daemon/ftp/reply-counter.js';

function count(text: string, piece: number): number {
  const bytes = Buffer.from(text, 'latin1');
  const counter = new ReplyCounter();
  for (let at = 0; at < bytes.length; at += piece) counter.push(bytes.subarray(at, at + piece));
  return counter.count;
}

describe('ReplyCounter', () => {
  const table: readonly (readonly [string, number])[] = [
    ['', 0],
    ['SSH-2.0-x\r\n', 0],
    ['220', 0],
    ['220 hi\r\n', 1],
    ['220\r\n', 1],
    ['220-a\r\n220-b\r\n220 c\r\n', 1],
    ['120 wait\r\n150 go\r\n632 x\r\n', 0],
    ['220 a\r331 b\n230 c\r\n', 3],
    ['hello\r\n\xff\xfb 331 x\r\n', 1],
    ['x220 a\r\n2200 b\r\n22 c\r\n', 0],
  ];
  for (const [text, expected] of table) {
    it(`${JSON.stringify(text)}: ${expected}`, () => {
      assert.equal(count(text, 1), expected);
      assert.equal(count(text, 1000), expected);
    });
  }
});
