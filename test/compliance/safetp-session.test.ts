// What only X-SafeTP1 promises a session: the transcript is proven, each line is protected, and what was stronger is never given up.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Negotiation } from '../../daemon/ftp/negotiation.js';
import { payload } from '../daemon/relay/socket-fixture.js';
import { flipped } from '../daemon/security/safetp/fixture.js';
import { safetpSecuring } from './server.js';
import { World, type WorldOptions } from './world.js';

const world = (options?: WorldOptions): World => new World(safetpSecuring(), options);

function replaced(pattern: RegExp, by: string): NonNullable<WorldOptions['middle']> {
  return (bytes) => Buffer.from(bytes.toString('latin1').replace(pattern, by), 'latin1');
}

function assertBroken(one: World): void {
  assert.equal(one.session.phase, 'closed');
  assert.match(one.heard, /\r\n421 ftpseal: [^\r]*somebody may be in between[^\r]*\r\n$/);
  assert.ok(one.server.received.every(({ line }) => !/^(?:USER|PASS)/.test(line)));
}

describe('a session with X-SafeTP1', () => {
  it('tries it after TLS, and says DIGT before USER', () => {
    const one = world();
    one.say('USER ann');
    const lines = one.server.received.map(({ line }) => line.split(' ').slice(0, 2).join(' '));
    assert.deepEqual(lines.slice(0, 3), ['AUTH TLS', 'AUTH SSL', 'AUTH X-SafeTP1']);
    assert.deepEqual(
      one.server.received.filter((each) => each.protected).map(({ line }) => line),
      ['DIGT', 'PBSZ 32768', 'PROT P', 'USER ann'],
    );
  });
  it('shows nothing of a protected line on the wire, not even its length', () => {
    const [short, long] = ['PASS a', 'PASS a rather long one, 35 bytes'].map((pass) => {
      const one = world();
      one.say('USER ann', pass);
      assert.ok(!one.wire.includes('PASS') && !one.wire.includes('USER'));
      return one.wire.split('\r\n').at(-2)?.length;
    });
    assert.equal(short, long);
  });
  it('is called legacy wherever its protocol is shown, and shows its brand', () => {
    const one = world();
    one.say('USER ann');
    assert.equal(one.session.view().identity?.protocol, 'X-SafeTP1 (legacy)');
    assert.equal(one.session.view().identity?.brand, 'ftp.example.org');
  });
  it('finds an edited FEAT before AUTH out', () => {
    const one = world({ middle: replaced(/ UTF8\r\n/, ' UTF8\r\n AUTH KERBEROS\r\n') });
    one.say('FEAT', 'USER ann');
    assertBroken(one);
  });
  it('finds out that TLS was refused by somebody in between', () => {
    const one = world({ middle: replaced(/^504 Security/, '502 Security') });
    one.say('USER ann');
    assertBroken(one);
  });
  it('survives any change of what the server says, and says nothing in clear that it should not', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.nat(),
        fc.constantFrom('flip', 'cut', 'double', 'random'),
        (at, seed, how) => {
          const change = (bytes: Buffer): Buffer => {
            if (how === 'flip') return flipped(bytes, seed);
            if (how === 'cut') return bytes.subarray(0, seed % bytes.length);
            return how === 'double' ? Buffer.concat([bytes, bytes]) : payload(seed % 3000);
          };
          const one = world({ middle: (bytes, index) => (index === at ? change(bytes) : bytes) });
          one.say('FEAT', 'USER annabella', 'PASS a secret word', 'EPSV');
          one.event({ kind: 'serverClosed', how: 'ended' });
          const secrets = one.server.received.filter(({ line }) => /annabella|a secret/.test(line));
          const asked = one.effects.flatMap((effect) =>
            effect.kind === 'ask' ? [effect.question.kind] : [],
          );
          // Clear needs leave, and nobody is asked for it once the server has shown a key.
          assert.ok(asked.includes('cleartext') || secrets.every((line) => line.protected));
          assert.ok(!asked.includes('cleartext') || !asked.includes('key'));
        },
      ),
      { numRuns: 150 },
    );
  });
  it('ends when DIGT is refused', () => {
    for (const reply of ['502 unknown', '211 DIGT=AAAA', '200 ok']) {
      const one = world({ answers: { DIGT: reply } });
      one.say('USER ann');
      assertBroken(one);
    }
  });
  it('ends at a reply that is not protected, or not rightly', () => {
    for (const by of ['230 you are in\r\n632 ', '632 A', '631 ', '632-']) {
      let count = 0;
      // The third protected reply and later ones: DIGT and PBSZ pass.
      const middle = (bytes: Buffer): Buffer => {
        const text = bytes.toString('latin1');
        if (!text.startsWith('632 ') || (count += 1) < 3) return bytes;
        return Buffer.from(text.replace('632 ', by), 'latin1');
      };
      const one = world({ middle });
      one.say('USER ann');
      assert.equal(one.session.phase, 'closed', by);
      assert.ok(!one.heard.includes('you are in'));
    }
  });
  it('ends at a protected reply that comes twice', () => {
    let last: Buffer = Buffer.alloc(0);
    const middle = (bytes: Buffer): Buffer => {
      const before = last;
      last = bytes;
      return before.toString('latin1').startsWith('632 ') && bytes.length === before.length ? before : bytes;
    };
    const one = world({ middle });
    one.say('USER ann', 'NOOP', 'NOOP');
    assert.equal(one.session.phase, 'closed');
  });
  it('ends when PBSZ is answered with more than was proposed', () => {
    const one = world({ answers: { PBSZ: '200 PBSZ=65536' } });
    one.say('USER ann');
    assert.equal(one.session.phase, 'closed');
    assert.match(one.heard, /PBSZ/);
  });
  it('proposes a larger PBSZ to a server that wants one', () => {
    const answers = { PBSZ: '538 Protection buffer too small. PBSZmin=65536' };
    const one = world({ answers });
    one.say('USER ann');
    answers.PBSZ = '200 PBSZ=65536';
    one.say('PASS secret', 'EPSV');
    const asked = one.server.received.filter(({ line }) => line.startsWith('PBSZ'));
    assert.deepEqual(
      asked.map(({ line }) => line),
      ['PBSZ 32768', 'PBSZ 65536'],
    );
  });
  it('moves nothing in blocks of no size', () => {
    const one = world({ answers: { PBSZ: '501 no', PROT: '200 ok' } });
    one.say('USER ann', 'PASS secret', 'EPSV');
    one.openChannel();
    one.say('RETR file');
    assert.equal(one.session.phase, 'closed');
    assert.ok(!one.has('useBlocks'));
  });
  it('breaks the data of an upload off with ABOR, so that it gets no end', () => {
    const one = world({ answers: { STOR: '150 send it', ABOR: '426 broken off\r\n226 ok' } });
    one.say('USER ann', 'PASS secret', 'EPSV');
    one.openChannel();
    one.say('STOR file');
    assert.ok(one.has('useBlocks') && !one.has('discard'));
    one.say('ABOR');
    assert.ok(one.has('discard'));
    assert.match(one.heard, /426 broken off\r\n226 ok\r\n$/);
    one.say('NOOP');
    assert.match(one.heard, /200 ok\r\n$/);
  });
  it('does not send a command that holds a line break or is too long', () => {
    for (const command of ['SITE a\rDELE b', `SITE ${'x'.repeat(5000)}`]) {
      const one = world();
      one.say('USER ann', 'PASS secret', command);
      assert.equal(one.session.phase, 'closed');
      assert.match(one.heard, /500 ftpseal: [^\r]*\r\n$/);
    }
  });
  it('is not tried where policy does not name it', () => {
    const policy = world().session.view();
    assert.equal(policy.phase, 'plain');
    const negotiation = new Negotiation(['TLS']);
    negotiation.start();
    const refusal = { code: 504, lines: ['504 LIST=X-SafeTP1'], raw: Buffer.alloc(0) };
    assert.deepEqual(negotiation.onReply(refusal), { kind: 'send', line: 'AUTH SSL' });
    assert.equal(negotiation.onReply(refusal).kind, 'exhausted');
  });
  it('is not tried any more once TLS was agreed to', () => {
    const one = world({ answers: { 'AUTH TLS': '234 go on' } });
    one.say('USER ann');
    one.event({ kind: 'tlsFailed', reason: 'x' });
    assert.equal(one.session.phase, 'closed');
    assert.deepEqual(
      one.server.received.map(({ line }) => line),
      ['AUTH TLS'],
    );
  });
  it('ends when the server falls silent in the middle of it', () => {
    const one = world({
      decide: 'wait',
      middle: (bytes) => (bytes.toString().startsWith('335 ') ? Buffer.alloc(0) : bytes),
    });
    one.say('USER ann');
    one.event({ kind: 'decided', decision: { kind: 'allow' } });
    assert.equal(one.session.phase, 'proving');
    one.event({ kind: 'timer', timer: 'negotiation' });
    assertBroken(one);
    assert.equal(one.effects.filter(({ kind }) => kind === 'dial').length, 1);
  });
});
