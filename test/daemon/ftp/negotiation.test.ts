import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Negotiation, type NegotiationStep } from '../../../daemon/ftp/negotiation.js';

/** The lines sent for these replies, and how it ended. */
function negotiate(allowed: readonly string[], replies: readonly string[]): readonly string[] {
  const negotiation = new Negotiation(allowed);
  const out: string[] = [];
  const take = (step: NegotiationStep): void => {
    out.push(
      step.kind === 'send' ? step.line : step.kind === 'exhausted' ? `exhausted: ${step.reason}` : step.kind,
    );
  };
  take(negotiation.start());
  for (const text of replies)
    take(negotiation.onReply({ code: Number(text.slice(0, 3)), lines: [text], raw: Buffer.from(text) }));
  return out;
}

describe('the negotiation', () => {
  it('ends at the first agreement', () => {
    assert.deepEqual(negotiate(['TLS'], ['234 ok']), ['AUTH TLS', 'wrapStream']);
  });
  it('tries the next word, and says why it gave up', () => {
    assert.deepEqual(negotiate(['tls'], ['500 what', '534 no']), [
      'AUTH TLS',
      'AUTH SSL',
      'exhausted: AUTH TLS: 500; AUTH SSL: 534',
    ]);
  });
  it('follows hints once each, before what it would have tried', () => {
    assert.deepEqual(negotiate(['TLS'], ['504 LIST=TLS,TLS-P,GSSAPI', '504 ILST=TLS-P', '502 no']), [
      'AUTH TLS',
      'AUTH TLS-P',
      'AUTH SSL',
      'exhausted: AUTH TLS: 504; AUTH TLS-P: 504; AUTH SSL: 502',
    ]);
  });
  it('tries nothing that is not allowed or not known', () => {
    assert.deepEqual(negotiate([], []), ['exhausted: no mechanism is both known and allowed']);
    assert.deepEqual(negotiate(['ROT13'], []), ['exhausted: no mechanism is both known and allowed']);
  });
  it('is over once it is over', () => {
    assert.equal(
      negotiate(['TLS'], ['500 a', '500 b', '234 late']).at(-1),
      'exhausted: AUTH TLS: 500; AUTH SSL: 500',
    );
  });
  it('tells what a silent server was asked', () => {
    const negotiation = new Negotiation(['TLS']);
    negotiation.start();
    negotiation.onReply({ code: 500, lines: ['500'], raw: Buffer.alloc(0) });
    assert.equal(negotiation.reasonWith('no answer'), 'AUTH TLS: 500; AUTH SSL: no answer');
  });
});
