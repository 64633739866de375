// The attacks of X-SafeTP1's list that a server meets, on the server proxy's session.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toBase64 } from '../../../daemon/security/safetp/base64.js';
import { formatFirstAdat } from '../../../daemon/security/safetp/exchange.js';
import { systemRandom } from '../../../daemon/security/safetp/native/random.js';
import { payload } from '../relay/socket-fixture.js';
import { flipped } from '../security/safetp/fixture.js';
import { digestHolds, ready, secured } from './safetp-ready.js';
import { clientKeyOf, SafetpWorld } from './safetp-world.js';

describe('attacks on the server proxy with X-SafeTP1', () => {
  /** Ends at these bytes with this in clear, and acts on nothing more. */
  function endsAt(world: SafetpWorld, bytes: Uint8Array | string, reply: string): void {
    const [before, asked] = [world.wire.length, world.asked.length];
    world.raw(bytes);
    assert.equal(world.wire.subarray(before, before + 4).toString(), reply);
    assert.match(world.wire.subarray(before).toString(), /^[^\r\n]+\r\n$/, 'one line');
    assert.ok(world.closed);
    assert.equal(world.asked.length, asked);
    world.raw(Buffer.from('USER bo\r\n'));
    assert.equal(world.asked.length, asked);
  }

  it('a line in clear after 235', () => {
    for (const line of ['USER bo', 'NOOP', 'PASS x', '', 'AUTH TLS', 'ABOR', 'ENCX AAAA'])
      endsAt(secured(), `${line}\r\n`, '533 ');
    for (const line of ['MIC AAAA', 'conf AAAA']) endsAt(secured(), `${line}\r\n`, '537 ');
  });
  it('a line in clear behind a protected one, and in front of one', () => {
    const world = secured();
    world.raw(Buffer.concat([world.seal('USER bo'), Buffer.from('DELE a\r\n'), world.seal('PASS x')]));
    assert.deepEqual(world.asked, ['USER bo']);
    assert.match(world.wire.toString(), /\r\n533 [^\r]+\r\n$/);
    assert.ok(world.closed);
  });
  it('during a transfer: control and data connections end', () => {
    const world = ready();
    world.ask('RETR a');
    endsAt(world, 'NOOP\r\n', '533 ');
    assert.equal(world.effects.at(-1)?.kind, 'close', 'which drops all channels');
  });
  it('replay of a control line', () => {
    const world = secured();
    const line = world.seal('USER bo');
    world.raw(line);
    endsAt(world, line, '535 ');
  });
  it('two lines exchanged', () => {
    const world = secured();
    const [, second] = [world.seal('USER bo'), world.seal('PASS x')];
    endsAt(world, second, '535 ');
  });
  it('echo of the server’s own line', () => {
    const world = secured();
    const from = world.wire.length;
    world.ask('NOOP');
    const own = world.wire.subarray(from).toString('latin1').replace(/^632/, 'ENC');
    endsAt(world, own, '535 ');
  });
  it('a flipped bit anywhere in a line, padding and HMAC alike', () => {
    const before = new Set<string>();
    for (const bit of [0, 70, 200, 333, 500, 511, 575]) {
      const world = secured();
      const [head = '', base64 = ''] = world.seal('PASS secret').toString().trimEnd().split(' ');
      const bad = flipped(Buffer.from(base64, 'base64'), bit).toString('base64');
      const from = world.wire.length;
      endsAt(world, `${head} ${bad}\r\n`, '535 ');
      before.add(world.wire.subarray(from).toString());
    }
    assert.equal(before.size, 1, 'one answer for every cause');
  });
  it('a line of another session, and a data block as a line', () => {
    endsAt(secured(), secured().seal('USER bo'), '535 ');
    const world = secured();
    const block = world.secured?.blockWriter({ level: 'P', fileSequence: 0, bufferSize: 4096 });
    const [, bytes = Buffer.alloc(0)] = block?.write(Buffer.alloc(20)) ?? [];
    endsAt(world, `ENC ${toBase64(bytes)}\r\n`, '535 ');
  });
  it('a line break inside a line: the codec refuses to make one, and the filters behind it see one command', () => {
    const world = ready();
    const before = world.asked.length;
    assert.throws(() => world.seal('USER a\r\nDELE b'));
    assert.match(world.ask('RETR a\r\0STOR b').join(), /^500 /);
    assert.equal(world.asked.length, before);
  });
  it('a line without end, and base64 that is not canonical', () => {
    endsAt(secured(), `ENC ${'A'.repeat(9000)}`, '535 ');
    endsAt(secured(), `ENC ${'A'.repeat(9000)}\r\n`, '535 ');
    for (const text of ['', '=', 'AAA', 'AA==\r', ' AAAA', 'A-A_', 'AAAA AAAA'])
      endsAt(secured(), `ENC ${text}\r\n`, '535 ');
  });
  it('a whole-session replay', () => {
    const recorded: Buffer[] = [];
    const world = secured();
    const first = new SafetpWorld();
    first.secure();
    recorded.push(first.seal('DIGT'), first.seal('USER bo'));
    endsAt(world, Buffer.concat(recorded), '535 ');
  });
  it('bytes pipelined behind AUTH and ADAT', () => {
    for (const rest of ['USER bo\r\n', 'x']) {
      const world = new SafetpWorld();
      world.raw(`AUTH X-SafeTP1\r\n${rest}`);
      assert.ok(world.closed);
      assert.doesNotMatch(world.wire.toString(), /334/);
    }
    const world = new SafetpWorld();
    world.clear('AUTH X-SafeTP1');
    const adat = formatFirstAdat({ elGamalKey: clientKeyOf(1024), clientChallenge: systemRandom(32) });
    world.raw(`ADAT ${toBase64(adat)}\r\nUSER bo\r\n`);
    assert.ok(world.closed);
    assert.doesNotMatch(world.wire.toString(), /335/);
    assert.deepEqual(world.asked, []);
  });
  it('bytes pipelined behind the last ADAT: what comes in clear is never a command', () => {
    const talk = new SafetpWorld({ holdTurns: true });
    talk.secure();
    talk.event({ kind: 'turn' });
    assert.match(talk.wire.toString(), /335 /);
    talk.raw('ADAT AAAA\r\nUSER bo\r\n');
    talk.event({ kind: 'turn' });
    assert.ok(talk.closed);
    assert.deepEqual(talk.asked, []);
  });
  it('ElGamal key below the minimum', () => {
    const world = new SafetpWorld({ groupBits: 768 }).secure();
    assert.equal(world.clientState, 'failed');
    assert.match(world.wire.toString(), /\r\n535 [^\r]+\r\n$/);
    assert.ok(world.closed);
  });
  it('words put in before AUTH, an answer that the client did not get: DIGT tells', () => {
    const put = new SafetpWorld();
    put.raw('FEAT\r\n');
    assert.ok(!digestHolds(put.secure()));
    const forced = new SafetpWorld();
    forced.raw('AUTH NONE\r\n');
    assert.ok(!digestHolds(forced.secure()));
    assert.ok(digestHolds(new SafetpWorld().secure()));
  });
  it('ADAT that is garbage', () => {
    for (const garbage of ['', 'AAAA', '!', toBase64(payload(3000)), 'A'.repeat(12_000)]) {
      const world = new SafetpWorld();
      world.clear('AUTH X-SafeTP1');
      endsAt(world, `ADAT ${garbage}\r\n`, '535 ');
    }
  });
});
