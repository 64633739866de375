import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loggableCommand, loggableReply, printable } from '../../../daemon/sys/redact.js';

describe('FTP lines in the log', () => {
  const shown: readonly (readonly [string | Uint8Array, string])[] = [
    ['USER alice\r\n', 'USER alice'],
    ['PASS secret\r\n', 'PASS ****'],
    ['pass secret', 'PASS ****'],
    ['PaSs\tsecret', 'PASS ****'],
    ['  PASS secret', 'PASS ****'],
    ['ACCT secret', 'ACCT ****'],
    ['ADAT c2VjcmV0', 'ADAT ****'],
    ['ENC c2VjcmV0', 'ENC ****'],
    ['SITE PSWD old secret', 'SITE ****'],
    ['SITE chmod 644 a', 'SITE chmod 644 a'],
    ['RETR a\u001b[2Jb', 'RETR a?[2Jb'],
    ['NOOP', 'NOOP'],
    ['PASSsecret', '(not a command)'],
    ['PASS\0secret', 'PASS'],
    ['USER a\r\nPASS secret', 'USER a'],
    ['secret secret secret', 'SECRET secret secret'],
    ['', '(not a command)'],
    [Buffer.from([255, 244, 255, 242, 0x50, 0x41, 0x53, 0x53, 0x20, 0x78]), 'PASS ****'],
  ];
  for (const [line, expected] of shown) {
    it(JSON.stringify(typeof line === 'string' ? line : [...line]), () => {
      assert.equal(loggableCommand(line), expected);
    });
  }

  it('never hold the argument of a secret verb, whatever surrounds it', () => {
    const verb = fc.constantFrom('PASS', 'pass', 'Acct', 'ADAT', 'enc', 'MIC');
    const before = fc.constantFrom('', ' ', '\xff\xf4', '\0', '\t');
    const secret = fc.stringMatching(/^[0-9]{12}$/);
    fc.assert(
      fc.property(
        before,
        verb,
        secret,
        (junk, name, word) => !loggableCommand(`${junk}${name} ${word}`).includes(word),
      ),
    );
  });

  it('are one bounded printable line', () => {
    assert.equal(loggableReply('230 in\r\n'), '230 in');
    assert.ok(printable('x'.repeat(9999)).length <= 200);
    assert.equal(printable('a\u202eb\u2028c'), 'a?b?c');
  });
});
