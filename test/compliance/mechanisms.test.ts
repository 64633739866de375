// The same promises, asked of every mechanism: what the client's program and the server see must not depend on how the connection
// was secured.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { World, type WorldOptions } from './world.js';
import { safetpSecuring, tlsSecuring, type Securing } from './server.js';

const MECHANISMS: readonly (() => Securing)[] = [tlsSecuring, safetpSecuring];
const SECRETS = /ann|secret/;

for (const make of MECHANISMS) {
  const { name, agreement } = make();
  const world = (options?: WorldOptions): World => new World(make(), options);
  /** In the middle: bytes behind the agreement of the server. */
  const behind = (bytes: Buffer): Buffer =>
    bytes.toString('latin1').startsWith(String(agreement.code))
      ? Buffer.concat([bytes, Buffer.from('230 you are in\r\n')])
      : bytes;

  describe(`a session secured by ${name}`, () => {
    it('sends user and password protected, and passes the answers on as they are', () => {
      const one = world();
      one.say('USER ann', 'PASS secret');
      assert.equal(one.session.phase, 'secured');
      const login = one.server.received.filter(({ line }) => SECRETS.test(line));
      assert.deepEqual(login, [
        { line: 'USER ann', protected: true },
        { line: 'PASS secret', protected: true },
      ]);
      assert.equal(
        one.heard,
        '220 hello\r\n331 password\r\n230-welcome\r\n to this server\r\n230 logged in\r\n',
      );
    });
    it('knows who the server is', () => {
      const one = world();
      one.say('USER ann');
      const identity = one.session.view().identity;
      assert.equal(identity?.mechanism, name);
      assert.match(identity.fingerprint, /^SHA256:/);
    });
    it('sends nothing of the client, and nothing at all, before the key was accepted', () => {
      const one = world({ decide: 'wait' });
      one.say('USER ann');
      assert.equal(one.session.phase, 'judgingKey');
      const before = one.wire;
      one.say('PASS secret');
      assert.equal(one.wire, before);
      assert.ok(!SECRETS.test(one.wire));
      one.event({ kind: 'decided', decision: { kind: 'allow' } });
      assert.equal(one.session.phase, 'secured');
      assert.ok(one.server.received.some(({ line }) => line === 'PASS secret'));
    });
    it('ends with the reason when the key is refused, and sends nothing more', () => {
      const one = world({ decide: 'refuse' });
      one.say('USER ann');
      assert.equal(one.session.phase, 'closed');
      assert.match(one.heard, /421 ftpseal: not trusted\r\n$/);
      assert.ok(one.server.received.every(({ line }) => line === agreement.line || line.startsWith('AUTH ')));
    });
    it('ends when there are bytes behind the agreement', () => {
      const one = world({ middle: behind });
      one.say('USER ann');
      assert.equal(one.session.phase, 'closed');
      assert.ok(!one.heard.includes('you are in'));
      assert.ok(!SECRETS.test(one.wire));
    });
    it('is never continued in clear once the server has agreed', () => {
      for (const event of [
        { kind: 'serverClosed', how: 'ended' },
        { kind: 'tlsFailed', reason: 'x' },
      ] as const) {
        const one = world({ decide: 'wait' });
        one.say('USER ann');
        one.event(event);
        assert.equal(one.session.phase, 'closed');
        assert.ok(!SECRETS.test(one.wire));
        assert.equal(one.effects.filter(({ kind }) => kind === 'dial').length, 1);
      }
    });
    it('is secured with a 230 greeting’s worth of replies nobody asked for, or not at all', () => {
      const one = world({ answers: { [agreement.line]: '230 you are in' } });
      one.say('USER ann');
      assert.ok(!SECRETS.test(one.wire) || one.session.phase === 'cleartext');
      assert.notEqual(one.session.phase, 'secured');
    });
    it('is refused where the server was secure before and refuses now', () => {
      const one = world({
        context: { knownSecure: true },
        answers: { [agreement.line]: '502 no' },
        decide: 'refuse',
      });
      one.say('USER ann');
      assert.equal(one.session.phase, 'closed');
      assert.ok(one.effects.some((effect) => effect.kind === 'ask' && effect.question.kind === 'cleartext'));
      assert.ok(!SECRETS.test(one.wire));
    });
    it('asks for PBSZ and PROT P before any data, and moves it protected', () => {
      const one = world();
      one.say('USER ann', 'PASS secret', 'EPSV');
      one.openChannel();
      one.say('RETR file');
      const lines = one.server.received.map(({ line }) => line);
      assert.ok(lines.findIndex((line) => line.startsWith('PBSZ ')) < lines.indexOf('PROT P'));
      assert.ok(lines.indexOf('PROT P') < lines.indexOf('RETR file'));
      assert.ok(
        one.effects.some((effect) => effect.kind === 'connectServer' && effect.protection === 'private'),
      );
      assert.ok(one.has('relay'));
      assert.equal(one.has('useBlocks'), name === 'X-SafeTP1');
    });
    it('moves no data when PROT is refused', () => {
      const one = world({ answers: { PROT: '536 no' } });
      one.say('USER ann', 'PASS secret', 'EPSV');
      assert.match(one.heard, /522 ftpseal: /);
      assert.ok(!one.has('connectServer'));
    });
    it('leaves its protection to nobody: AUTH, PROT and CCC of the client are answered here', () => {
      const one = world();
      one.say('USER ann', 'PASS secret');
      const before = one.server.received.length;
      one.say('AUTH TLS', 'CCC', 'PROT P', 'PBSZ 1');
      assert.equal(one.server.received.length, before);
      assert.match(one.heard, /503 .*\r\n534 .*\r\n536 .*\r\n200 PBSZ=0\r\n$/);
    });
    it('hides the server’s own features of protection', () => {
      const one = world({ answers: { FEAT: '211-Features:\r\n AUTH X\r\n PBSZ\r\n UTF8\r\n211 End' } });
      one.say('USER ann', 'FEAT');
      assert.match(one.heard, /211-Features:\r\n UTF8\r\n211 End\r\n$/);
    });
    it('works behind harmless commands in clear, and with bytes that come one at a time', () => {
      const one = world();
      for (const byte of Buffer.from('FEAT\r\nSYST\r\nUSER ann\r\n'))
        one.event({ kind: 'clientBytes', bytes: Buffer.from([byte]) });
      assert.equal(one.session.phase, 'secured');
      assert.match(one.heard, /331 password\r\n$/);
    });
  });
}
