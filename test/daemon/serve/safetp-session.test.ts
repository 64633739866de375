// X-SafeTP1 in the server proxy's session: the way there, what is answered inside it, and transfers in blocks.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestHolds, ready, secured } from './safetp-ready.js';
import { SafetpWorld } from './safetp-world.js';

describe('the server proxy with X-SafeTP1', () => {
  it('secures, proves what was said before, and passes the login on', () => {
    const world = new SafetpWorld();
    assert.deepEqual(world.clear('SYST'), ['200 ok']);
    const [first, ...list] = world.clear('FEAT');
    assert.match(String(first), /^211-/);
    assert.deepEqual(list, [' AUTH TLS;X-SafeTP1;', ' PBSZ', ' PROT', ' SIZE', '211 End']);
    world.secure();
    assert.ok(digestHolds(world));
    assert.deepEqual(world.ask('USER bo'), ['331 word']);
    assert.deepEqual(world.ask('PASS secret'), ['230 in']);
    assert.deepEqual(world.asked.slice(-2), ['USER bo', 'PASS secret']);
    assert.doesNotMatch(world.wire.toString('latin1'), /331|230 in/);
    assert.equal(world.session.view().secured, 'X-SafeTP1 (legacy)');
  });
  it('keeps what was set up in clear, which DIGT proves', () => {
    const world = new SafetpWorld();
    world.clear('OPTS UTF8 ON');
    world.secure();
    assert.equal(world.all('dial').length, 1);
    assert.ok(digestHolds(world));
  });
  it('answers FEAT inside with its own list, each line by itself', () => {
    const list = secured().ask('FEAT');
    assert.deepEqual(list.slice(1), [' AUTH TLS;X-SafeTP1;', ' PBSZ', ' PROT', ' SIZE', '211 End']);
  });
  it('answers what is the mechanism’s own, and the backend hears nothing of it', () => {
    const world = secured();
    const answers: Readonly<Record<string, string>> = {
      'PROT P': '503 ',
      'PBSZ 100': '538 Protection buffer too small. PBSZmin=4096',
      'PBSZ x': '501 ',
      'PBSZ 4294967296': '501 ',
      'PBSZ 1000000': '200 PBSZ=131072',
      'PROT E': '536 ',
      'PROT X': '504 ',
      'prot s': '200 ',
      'PROT C': '200 ',
      'AUTH TLS': '503 ',
      'AUTH X-SafeTP1': '503 ',
      'ADAT AAAA': '503 ',
      CCC: '534 ',
      'ENC AAAA': '500 ',
      'MIC AAAA': '500 ',
      'CONF AAAA': '500 ',
      REIN: '502 ',
    };
    for (const [line, answer] of Object.entries(answers))
      assert.ok(world.ask(line).join().startsWith(answer), line);
    assert.deepEqual(world.asked, []);
    assert.equal(world.closed, false);
  });
  it('names what it has when another mechanism is asked for', () => {
    const world = new SafetpWorld({ words: ['TLS', 'SSL'] });
    assert.match(world.clear('AUTH KERBEROS_V4').join(), /^504 .*LIST=TLS,SSL,X-SafeTP1$/);
    assert.match(world.clear('AUTH TLS-P').join(), /^504 .*LIST=TLS,SSL,X-SafeTP1$/);
    assert.match(world.secure().ask('DIGT').join(), /^211 DIGT=/);
  });
  it('goes the way of TLS where that is asked for, and X-SafeTP1 is over', () => {
    const world = new SafetpWorld();
    assert.match(world.clear('AUTH TLS').join(), /^234 /);
    assert.ok(world.has('secureClient'));
    world.event({ kind: 'clientSecured' });
    assert.match(world.clear('AUTH X-SafeTP1').join(), /^503 /);
    assert.match(world.clear('ENC AAAA').join(), /^503 /);
  });
  it('is over with the first request in clear, where that is let through', () => {
    const world = new SafetpWorld({ require: 'none' });
    assert.deepEqual(world.clear('USER bo'), ['331 word']);
    assert.match(world.clear('AUTH X-SafeTP1').join(), /^503 /);
  });
  it('refuses a login in clear, also in the middle of a negotiation', () => {
    const world = new SafetpWorld();
    world.clear('AUTH X-SafeTP1');
    assert.match(world.clear('USER bo').join(), /^530 /);
    assert.match(world.clear('PASS secret').join(), /^530 /);
    assert.deepEqual(world.asked, []);
  });
  it('answers what comes too early or too often 503', () => {
    const world = new SafetpWorld();
    for (const line of ['ADAT AAAA', 'ENC AAAA', 'PROT P', 'PBSZ 4096', 'DIGT', 'CCC'])
      assert.match(world.clear(line).join(), /^503 /, line);
    assert.equal(world.closed, false);
    assert.ok(digestHolds(world.secure()));
  });
  it('gives a person time to answer about the key, and no other step', () => {
    const world = new SafetpWorld();
    world.clear('AUTH X-SafeTP1');
    assert.equal(world.all('setTimer').findLast(({ timer }) => timer === 'handshake')?.ms, 120_000);
    assert.equal(world.all('setTimer').findLast(({ timer }) => timer === 'login')?.ms, 240_000);
    const logins = world.all('setTimer').filter(({ timer }) => timer === 'login').length;
    world.clear('AUTH X-SafeTP1');
    assert.equal(world.all('setTimer').filter(({ timer }) => timer === 'login').length, logins);
    world.event({ kind: 'timer', timer: 'handshake' });
    assert.match(world.wire.toString(), /\r\n421 [^\r]*in time[^\r]*\r\n$/);
    assert.ok(world.closed);
    const asked = new SafetpWorld();
    asked.clear('AUTH NONE');
    assert.equal(asked.all('setTimer').findLast(({ timer }) => timer === 'handshake')?.ms, 30_000);
    asked.clear('NOOP');
    asked.event({ kind: 'timer', timer: 'handshake' });
    assert.equal(asked.closed, false);
  });
  it('ends after ten AUTHs', () => {
    const world = new SafetpWorld();
    for (let turn = 0; turn < 10; turn += 1) assert.match(world.clear('AUTH X-SafeTP1').join(), /^334 /);
    assert.match(world.clear('AUTH X-SafeTP1').join(), /^421 /);
    assert.ok(world.closed);
  });
  it('does public-key operations only when it is its turn', () => {
    const world = new SafetpWorld({ holdTurns: true }).secure();
    assert.ok(world.has('awaitTurn'));
    assert.doesNotMatch(world.wire.toString(), /335 /);
    world.event({ kind: 'turn' });
    assert.match(world.wire.toString(), /\r\n335 ADAT=[^\r]+\r\n$/);
    world.event({ kind: 'turn' });
    assert.equal(world.closed, false);
  });
  it('ends when a line of the backend is too long to be protected, and says so', () => {
    const world = secured({ backend: (line) => (line === 'STAT' ? `211 ${'x'.repeat(5000)}` : undefined) });
    assert.match(world.ask('STAT').join(), /^421 /);
    assert.ok(world.closed);
  });
  it('lets no bare CR and no Telnet command of the backend through, which would end the session at the client', () => {
    const world = secured({ backend: () => '\xff\xf1200 a\rb\xff\xff' });
    assert.match(world.ask('NOOP').join(), /^200 a(?: |\r\0)b\xff\xff$/);
  });
});

describe('transfers in blocks', () => {
  it('go under the number of their own command', () => {
    const world = ready();
    // DIGT, PBSZ, PROT, USER, PASS and EPSV were 0 to 5.
    assert.deepEqual(world.ask('RETR a'), ['150 here']);
    const [effect] = world.all('useBlocks');
    assert.ok(effect?.direction === 'download');
    assert.equal(world.all('relay').at(-1)?.protection, 'private');
    const sent = effect.blocks.writer().write(Buffer.from('data'));
    const reader = (fileSequence: number) =>
      world.secured?.blockReader({ level: 'P', fileSequence, bufferSize: 4096 });
    assert.equal(reader(6)?.push(Buffer.concat(sent)).kind, 'data');
    assert.equal(reader(5)?.push(Buffer.concat(sent)).kind, 'broken');
  });
  it('count blank lines and refused commands too', () => {
    const world = ready();
    world.ask('');
    world.ask('XEVIL');
    world.ask('STOR a');
    const reader = world.all('useBlocks')[0]?.blocks.reader();
    const writer = world.secured?.blockWriter({ level: 'P', fileSequence: 8, bufferSize: 4096 });
    assert.equal(reader?.push(Buffer.concat(writer?.write(Buffer.from('x')) ?? [])).kind, 'data');
  });
  it('follow each other with numbers of their own, also when they are sent in one breath', () => {
    const world = ready();
    world.raw(Buffer.concat([world.seal('RETR a'), world.seal('EPSV'), world.seal('RETR b')]));
    assert.equal(world.all('useBlocks').length, 1);
    const first = world.all('relay').at(-1)?.channel ?? assert.fail('no transfer');
    world.event({ kind: 'dataSettled', channel: first, outcome: { kind: 'complete', bytes: 1 } });
    world.event({ kind: 'serverBytes', bytes: Buffer.from('226 done\r\n') });
    assert.equal(world.all('useBlocks').length, 2);
    const second = world.all('useBlocks')[1]?.blocks.writer().write(Buffer.from('b')) ?? [];
    const reader = world.secured?.blockReader({ level: 'P', fileSequence: 8, bufferSize: 4096 });
    assert.equal(reader?.push(Buffer.concat(second)).kind, 'data');
  });
  it('are protected as the level was when they were asked for', () => {
    const world = ready();
    world.raw(Buffer.concat([world.seal('RETR a'), world.seal('PROT C')]));
    assert.equal(world.all('relay').at(-1)?.protection, 'private');
    assert.equal(world.session.view().data, 'private');
    const safe = ready('S');
    safe.ask('RETR a');
    const sent = safe.all('useBlocks')[0]?.blocks.writer().write(Buffer.from('data')) ?? [];
    const reader = safe.secured?.blockReader({ level: 'S', fileSequence: 6, bufferSize: 4096 });
    assert.equal(reader?.push(Buffer.concat(sent)).kind, 'data');
    const clear = ready('C');
    clear.ask('RETR a');
    assert.equal(clear.has('useBlocks'), false);
    assert.equal(clear.all('relay').at(-1)?.protection, 'clear');
  });
  it('are refused without PROT P where data has to be private, PROT S among them', () => {
    const world = secured({ require: 'secure-data' });
    for (const line of ['PBSZ 4096', 'USER bo', 'PASS x', 'EPSV']) world.ask(line);
    assert.match(world.ask('RETR a').join(), /^522 /);
    assert.match(world.ask('PROT S').join(), /^522 /);
    assert.match(world.ask('PROT C').join(), /^522 /);
    assert.match(world.ask('PROT P').join(), /^200 /);
    assert.deepEqual(world.ask('RETR a'), ['150 here']);
    assert.match(world.ask('PROT C').join(), /^$/, 'waits for the transfer');
    assert.ok(!world.asked.some((line) => line.startsWith('PROT')));
  });
  it('stop without an end block at ABOR, when they are downloads', () => {
    for (const verb of ['RETR', 'STOR']) {
      const world = ready('P', { backend: (line) => (line === 'ABOR' ? '' : undefined) });
      world.ask(`${verb} a`);
      const channel = world.all('relay').at(-1)?.channel;
      const before = world.effects.length;
      assert.deepEqual(world.ask('ABOR'), []);
      const kinds = world.effects.slice(before).map(({ kind }) => kind);
      assert.deepEqual(kinds, verb === 'RETR' ? ['sendServer', 'discard'] : ['sendServer']);
      const said = world.hear(() => {
        world.event({ kind: 'serverBytes', bytes: Buffer.from('426 cut\r\n226 ok\r\n') });
      });
      assert.deepEqual(said, ['426 cut', '226 ok']);
      assert.ok(world.all('discard').some((effect) => effect.channel === channel));
      assert.deepEqual(world.ask('NOOP'), ['200 ok']);
    }
  });
  it('begin no more after an ABOR that came before their data', () => {
    const world = ready('P', {
      backend: (line) =>
        line.startsWith('RETR') ? '' : line === 'ABOR' ? '150 here\r\n426 cut\r\n226 ok' : undefined,
    });
    world.ask('RETR a');
    world.ask('ABOR');
    assert.equal(world.has('relay'), false);
    assert.equal(world.has('useBlocks'), false);
    assert.deepEqual(world.ask('NOOP'), ['200 ok']);
  });
  it('open no connection behind the proxy’s back: an unknown verb is not passed on while data is S or P', () => {
    for (const level of ['S', 'P']) {
      const world = ready(level);
      const before = world.asked.length;
      assert.match(world.ask('XEVIL').join(), /^500 /);
      assert.match(world.ask('CPSV').join(), /^502 /);
      assert.equal(world.asked.length, before);
    }
    assert.deepEqual(ready('C').ask('XEVIL'), ['200 ok']);
  });
  it('go to the client’s own address and ports above 1023 only', () => {
    const world = ready();
    assert.match(world.ask('PORT 10,0,0,1,200,1').join(), /^504 /);
    assert.match(world.ask('EPRT |1|192.0.2.100|1023|').join(), /^504 /);
  });
});
