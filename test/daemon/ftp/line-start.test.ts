import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeLineStart } from '../../../daemon/ftp/line-start.js';

describe('the first bytes of a line', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'undecided'],
    ['P', 'undecided'],
    ['pas', 'undecided'],
    ['PASS', 'undecided'],
    ['PASS ', 'ftp'],
    ['pass\r\n', 'ftp'],
    ['PASS\0', 'ftp'],
    ['\xff\xf4 \tPASS x', 'ftp'],
    ['\xff', 'undecided'],
    [`${' '.repeat(1000)}PASS x`, 'ftp'],
    [' '.repeat(1000), 'undecided'],
    ['\x01', 'other'],
    ['\0', 'other'],
    ['PASSX', 'other'],
    ['PASS-', 'other'],
    ['\xff\xffPASS', 'other'],
    ['\r\n', 'undecided'],
    ['\r\n \nPASS x', 'ftp'],
    ['\x16', 'other'],
  ];
  for (const [text, expected] of cases) {
    it(JSON.stringify(text.slice(-20)), () => {
      assert.equal(judgeLineStart(Buffer.from(text, 'latin1'), ['USER', 'PASS']), expected);
    });
  }
});
