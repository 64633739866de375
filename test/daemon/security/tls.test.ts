import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTlsClient, parseMechanismHints } from '../../../daemon/security/tls.js';

describe('hints of a 504', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['504 LIST=TLS,SSL', ['TLS', 'SSL']],
    ['504 unknown (LIST=TLS-P)', ['TLS-P)']],
    ['504 ILST=tls-c X-SafeTP1', ['TLS-C', 'X-SAFETP1']],
    ['504 try LIST=A;B, C', ['A', 'B', 'C']],
    ['504 LIST=', []],
    ['504 no', []],
    ['504 BLIST=A', []],
  ];
  for (const [text, expected] of cases) {
    it(text, () => {
      assert.deepEqual(parseMechanismHints(text), expected);
    });
  }
});

describe('AUTH TLS', () => {
  const answer = (code: number): string =>
    createTlsClient('TLS').onReply({ code, lines: [`${code} x`], raw: Buffer.alloc(0) }).kind;

  it('is one line', () => {
    assert.deepEqual(createTlsClient('TLS-P').start(), { kind: 'send', line: 'AUTH TLS-P' });
  });
  it('is agreed to by 234 and nothing else', () => {
    for (let code = 200; code < 640; code += 1)
      assert.equal(answer(code), code === 234 ? 'wrapStream' : 'refused');
  });
});
