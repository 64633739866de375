import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pairing, type Exchange } from '../../../daemon/ftp/pairing.js';

const relay = (verb: string): Exchange => ({ kind: 'relay', verb, argument: '', outOfBand: false });
const EXCHANGES: Readonly<Record<string, Exchange>> = {
  RETR: { kind: 'transfer' },
  ABOR: { kind: 'abort' },
  fence: { kind: 'silent', verb: 'NOOP' },
  pbsz: { kind: 'pbsz', verb: 'PBSZ' },
};
const byName = (name: string): Exchange => EXCHANGES[name] ?? relay(name);
const nameOf = (exchange: Exchange | undefined): string =>
  exchange?.kind === 'relay'
    ? exchange.verb
    : (Object.entries(EXCHANGES).find(([, each]) => each.kind === exchange?.kind)?.[0] ?? '-');

/** Commands sent, then codes that come in; who gets each one. */
function match(sent: string, codes: readonly number[]): string {
  const pairing = new Pairing();
  for (const name of sent.split(' ')) pairing.expect(byName(name));
  return codes
    .map((code) => {
      const name = nameOf(pairing.match(code));
      pairing.answered();
      return name;
    })
    .join(' ');
}

describe('which command a reply answers', () => {
  const cases: readonly (readonly [string, string, readonly number[], string])[] = [
    ['in order', 'PWD SYST', [257, 215], 'PWD SYST'],
    ['unasked', 'PWD', [257, 421], 'PWD -'],
    ['preliminary replies leave their command there', 'SITE PWD', [150, 150, 200, 257], 'SITE SITE SITE PWD'],
    ['an unasked preliminary reply', 'PWD', [257, 150], 'PWD -'],
    ['a transfer', 'RETR', [150, 226], 'RETR RETR'],
    ['STAT within a transfer', 'RETR STAT', [150, 211, 226], 'RETR STAT RETR'],
    ['STAT behind a transfer', 'RETR STAT', [150, 226, 211], 'RETR RETR STAT'],
    ['NOOP within a transfer', 'RETR NOOP', [150, 200, 226], 'RETR NOOP RETR'],
    ['QUIT within a transfer', 'RETR QUIT', [150, 221, 226], 'RETR QUIT RETR'],
    ['STAT not understood', 'RETR STAT', [150, 500, 226], 'RETR STAT RETR'],
    ['a refused transfer, and STAT', 'RETR STAT', [500, 211], 'RETR STAT'],
    ['ABOR: 426 and 226', 'RETR ABOR', [150, 426, 226], 'RETR RETR ABOR'],
    ['ABOR: 226 and 225', 'RETR ABOR', [150, 226, 225], 'RETR RETR ABOR'],
    ['ABOR: 225 and 226', 'RETR ABOR', [150, 225, 226], 'RETR ABOR RETR'],
    ['ABOR not understood', 'RETR ABOR', [150, 502, 226], 'RETR ABOR RETR'],
    ['ABOR and STAT', 'RETR ABOR STAT', [150, 426, 226, 211], 'RETR RETR ABOR STAT'],
    ['ABOR without a reply of its own', 'ABOR fence', [200], 'fence'],
    ['ABOR without a reply of its own, and a transfer', 'ABOR RETR', [150, 226], 'RETR RETR'],
    ['ABOR with a late reply', 'ABOR fence', [226, 200], 'ABOR fence'],
  ];
  for (const [title, sent, codes, expected] of cases) {
    it(title, () => {
      assert.equal(match(sent, codes), expected);
    });
  }
});

describe('what is outstanding', () => {
  it('a reply that has begun is, until its last line', () => {
    const pairing = new Pairing();
    pairing.expect(byName('RETR'));
    pairing.match(226);
    assert.equal(pairing.idle, false);
    assert.equal(pairing.transferring, true);
    assert.equal(pairing.size, 1);
    pairing.answered();
    assert.equal(pairing.idle, true);
    assert.equal(pairing.transferring, false);
  });
  it('an ABOR alone is in doubt', () => {
    const pairing = new Pairing();
    assert.equal(pairing.inDoubt, false);
    pairing.expect(byName('ABOR'));
    assert.equal(pairing.inDoubt, true);
    assert.equal(pairing.idle, false);
    pairing.expect(byName('fence'));
    assert.equal(pairing.inDoubt, false);
  });
  it('commands may be sent behind ordinary ones only', () => {
    const pairing = new Pairing();
    assert.equal(pairing.pipelinable, true);
    pairing.expect(byName('PWD'));
    pairing.expect(byName('pbsz'));
    assert.equal(pairing.pipelinable, true);
    pairing.expect(byName('RETR'));
    assert.equal(pairing.pipelinable, false);
  });
  it('the client waits for its own commands, not for ours', () => {
    const pairing = new Pairing();
    pairing.expect(byName('pbsz'));
    pairing.expect(byName('fence'));
    assert.equal(pairing.awaited, false);
    pairing.expect(byName('PWD'));
    assert.equal(pairing.awaited, true);
    pairing.clear();
    assert.equal(pairing.awaited, false);
    assert.equal(pairing.size, 0);
  });
});
