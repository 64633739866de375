import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ExplicitOpening, type OpeningStep } from '../../../daemon/ftp/explicit.js';

/** A step in short. */
function show(step: OpeningStep): string {
  if (step.kind === 'target')
    return `${step.host}:${step.port} ${JSON.stringify(step.rest.toString('latin1'))}`;
  return `${step.kind} ${step.text.slice(0, 3)}`;
}

function open(text: string): readonly string[] {
  return new ExplicitOpening().push(Buffer.from(text, 'latin1')).map(show);
}

describe('USER name@host', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['USER bob@ftp.example.com', 'ftp.example.com:21 "USER bob\\r\\n"'],
    ['user bob@ftp.example.com:2121', 'ftp.example.com:2121 "USER bob\\r\\n"'],
    ['USER bob@mail.example.org@ftp.example.com', 'ftp.example.com:21 "USER bob@mail.example.org\\r\\n"'],
    ['USER bob@192.0.2.1', '192.0.2.1:21 "USER bob\\r\\n"'],
    ['USER bob@[2001:DB8::1]:990', '2001:db8::1:990 "USER bob\\r\\n"'],
    ['USER bob', 'reply 530'],
    ['USER @ftp.example.com', 'reply 530'],
    ['USER bob@', 'reply 530'],
    ['USER bob@host:0', 'reply 530'],
    ['USER bob@host:70000', 'reply 530'],
    ['USER bob@ho st', 'reply 530'],
    ['USER bob@host\rQUIT', 'reply 530'],
    ['PASS x', 'reply 530'],
    ['FEAT', 'reply 211'],
    ['AUTH TLS', 'reply 502'],
    ['QUIT', 'close 221'],
  ];
  for (const [line, expected] of cases) {
    it(JSON.stringify(line), () => {
      assert.deepEqual(open(`${line}\r\n`), [expected]);
    });
  }
  it('hands on what was pipelined behind it', () => {
    assert.deepEqual(open('SYST\r\nUSER bob@host\r\nPASS x\r\nPA'), [
      'reply 215',
      'host:21 "USER bob\\r\\nPASS x\\r\\nPA"',
    ]);
  });
  it('ends at a line without end', () => {
    assert.deepEqual(open('x'.repeat(20_000)), ['close 500']);
  });
});
