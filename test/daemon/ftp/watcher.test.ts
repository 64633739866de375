import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { GiveawayWatcher } from '../../../daemon/ftp/watcher.js';

/** What was relayed and what was held as FTP, `undefined` while it is none. */
function watch(chunks: readonly Uint8Array[]): { readonly passed: string; readonly ftp: string | undefined } {
  const watcher = new GiveawayWatcher();
  let passed = '';
  for (const [at, chunk] of chunks.entries()) {
    const { pass, ftp } = watcher.push(chunk);
    passed += pass.toString('latin1');
    if (ftp !== undefined) {
      const rest = Buffer.concat([ftp, ...chunks.slice(at + 1)]);
      return { passed, ftp: rest.toString('latin1') };
    }
  }
  return { passed, ftp: undefined };
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('the watcher finds FTP', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'USER bob\r\n'],
    ['', 'pass x\r\n'],
    ['', 'ACCT\n'],
    ['', 'AUTH\0'],
    ['', '\xff\xf4\xff\xf2 \t USER bob\r\n'],
    ['', ' \xff\xf1 USER bob\r\n'],
    ['\r\n\r\n', 'USER bob\r\n'],
    ['hello\n', 'USER bob\r\n'],
    ['hello\r', 'USER bob\r\n'],
    ['USERS\r\n', 'USER bob\r\n'],
    ['US\n', 'USER bob\r\n'],
    ['\xff\n', 'USER bob\r\n'],
    ['\xff\xfb\n', 'USER bob\r\n'],
    [`${'x'.repeat(100_000)}\n`, 'PASS x\r\n'],
    [' '.repeat(65), ' USER bob\r\n'],
  ];
  for (const [passed, ftp] of cases) {
    it(JSON.stringify(`${passed.slice(0, 20)}${ftp}`), () => {
      assert.deepEqual(watch([bytes(passed + ftp)]), { passed, ftp });
      assert.deepEqual(watch([...bytes(passed + ftp)].map((byte) => Buffer.of(byte))), { passed, ftp });
    });
  }
});

describe('the watcher lets pass', () => {
  for (const text of [
    'hello USER bob\r\n',
    'NEWUSER x\r\n',
    'USERX\r\n',
    '\xff\xffUSER x\r\n',
    '\x16\x03\x01\r\n',
  ]) {
    it(JSON.stringify(text), () => {
      assert.deepEqual(watch([bytes(text)]), { passed: text, ftp: undefined });
    });
  }
});

it('the watcher holds little back, and nothing twice', () => {
  const piece = fc.constantFrom(
    'USER',
    'US',
    'PASS',
    ' ',
    '\n',
    '\r',
    'x',
    '\xff',
    '\xfb',
    '\xf4',
    ' '.repeat(50),
    '\0',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      const whole = watch([bytes(text)]);
      const cut = watch([...bytes(text)].map((byte) => Buffer.of(byte)));
      assert.deepEqual(cut, whole);
      const held = text.length - whole.passed.length - (whole.ftp?.length ?? 0);
      assert.ok(held >= 0 && held <= 72, `${held} bytes are held`);
      assert.ok(text.startsWith(whole.passed));
    }),
  );
});
