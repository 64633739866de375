import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SafetpServer } from '../../../../daemon/security/safetp/server.js';
import { Transcript } from '../../../../daemon/security/safetp/transcript.js';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';
import { STRICT, SERVER, address, negotiate, secured, serverKey } from './fixture.js';

function freshServer(): SafetpServer {
  return new SafetpServer({
    key: serverKey,
    address: SERVER,
    groups: STRICT,
    mechanisms: ['TLS', 'X-SafeTP1'],
    random: systemRandom,
    transcript: new Transcript(),
  });
}

function codeOf(server: SafetpServer, line: string, pending = 0): string {
  const step = server.onLine(line, pending);
  return step.kind === 'other' ? 'other' : `${step.kind} ${step.line?.slice(0, 3) ?? 'silent'}`;
}

describe('the negotiation of X-SafeTP1', () => {
  it('secures both sides alike, in every group', () => {
    for (const groupBits of [1024, 2048] as const) {
      const { client, server } = secured({ groupBits });
      assert.deepEqual(client.digest, server.digest);
      const { wire, sequence } = client.sealer.seal(Buffer.from('USER ann'));
      assert.equal(sequence, 0);
      assert.deepEqual(server.opener.open(wire.subarray(0, -2)), {
        kind: 'line',
        line: Buffer.from('USER ann'),
        sequence: 0,
      });
      const back = server.sealer.seal(Buffer.from('331 password?')).wire;
      assert.equal(client.opener.open(back.subarray(0, -2)).kind, 'line');
      const transfer = { level: 'P', fileSequence: 3, bufferSize: 4096 } as const;
      const writer = server.blockWriter(transfer);
      const reader = client.blockReader(transfer);
      const read = reader.push(Buffer.concat([...writer.write(Buffer.from('file')), ...writer.end()]));
      assert.deepEqual(read, { kind: 'data', data: [Buffer.from('file')], ended: true });
    }
  });
  it('has six lines in the form of the specification', () => {
    const { lines } = negotiate();
    const forms = [
      /^AUTH X-SafeTP1$/,
      /^334 ADAT=\S+$/,
      /^ADAT \S+$/,
      /^335 ADAT=\S+$/,
      /^ADAT \S{56}$/,
      /^235 [^=]+$/,
    ];
    assert.equal(lines.length, forms.length);
    forms.forEach((form, index) => {
      assert.match(lines[index] ?? '', form);
    });
  });
  it('is covered by DIGT from the first line of the client on, the greeting not', () => {
    const before = [{ line: 'FEAT', answer: '211-Features:\r\n AUTH TLS\r\n211 End' }];
    const { client, server } = secured({ before });
    assert.deepEqual(client.digest, server.digest);
    assert.notDeepEqual(client.digest, secured().client.digest);
    const transcript = new Transcript();
    transcript.fromServer(Buffer.from('220 hello\r\n'));
    assert.deepEqual(transcript.digest(), new Transcript().digest());
  });
  it('takes addresses in any notation, and * behind address translation', () => {
    assert.equal(negotiate({ address: '*', dialled: address('198.51.100.7') }).client.kind, 'secured');
    const dialled = address('2001:db8:0:0::1');
    assert.equal(negotiate({ address: address('2001:DB8::1'), dialled }).client.kind, 'secured');
    assert.equal(negotiate({ address: SERVER, dialled: address('::ffff:192.0.2.1') }).client.kind, 'secured');
  });
  it('sends nothing before the key was trusted', () => {
    assert.deepEqual(negotiate({ trusted: false }).lines.length, 2);
  });
  it('leaves a server that does not do it as it was', () => {
    for (const answer of ['500 what', '502 no', '504 no. LIST=TLS', '530 login first', '421 bye']) {
      const { client } = negotiate({ middle: (from, line) => (from === 'server' ? answer : line) });
      assert.equal(client.kind, 'refused');
    }
  });
});

describe('the server of X-SafeTP1', () => {
  it('answers 503 to what comes out of order', () => {
    const server = freshServer();
    for (const line of ['ADAT AAAA', 'ENC AAAA', 'PROT P', 'DIGT', 'PBSZ 4096', 'MIC x', 'CONF x', 'CCC'])
      assert.equal(codeOf(server, line), 'reply 503', line);
  });
  it('leaves other verbs and other mechanisms to its caller, and hints at them', () => {
    const server = freshServer();
    assert.equal(codeOf(server, 'FEAT'), 'other');
    assert.equal(codeOf(server, 'AUTH tls'), 'other');
    const step = server.onLine('AUTH GSSAPI', 0);
    assert.equal(
      step.kind === 'reply' && step.line,
      '504 Security mechanism unrecognized. LIST=TLS,X-SafeTP1',
    );
  });
  it('knows names and verbs in any case, and waits for a person before the first ADAT', () => {
    const step = freshServer().onLine('auth x-safetp1', 0);
    assert.ok(step.kind === 'reply' && step.line.startsWith('334 ADAT=') && step.waitMs === 120_000);
  });
  it('takes no AUTH after the first ADAT, and no third ADAT', () => {
    const lines: string[] = [];
    negotiate({
      middle: (from, line) => {
        if (from === 'client') lines.push(line);
        return line;
      },
    });
    const server = freshServer();
    assert.equal(codeOf(server, lines[0] ?? ''), 'reply 334');
    assert.equal(codeOf(server, 'AUTH X-SafeTP1'), 'reply 334');
    assert.equal(codeOf(server, lines[1] ?? ''), 'reply 335');
    assert.equal(codeOf(server, 'AUTH X-SafeTP1'), 'reply 503');
    assert.equal(codeOf(server, lines[2] ?? ''), 'close 535');
    assert.equal(codeOf(server, 'ADAT AAAA'), 'reply 503');
  });
  it('gives up after ten AUTHs', () => {
    const server = freshServer();
    for (let i = 0; i < 10; i += 1) assert.equal(codeOf(server, 'AUTH X-SafeTP1'), 'reply 334');
    assert.equal(codeOf(server, 'AUTH X-SafeTP1'), 'close 421');
  });
  it('answers every bad ADAT alike', () => {
    const replies = ['', 'x', 'AAAA', 'AAAB', 'A'.repeat(5464)].map((adat) => {
      const server = freshServer();
      server.onLine('AUTH X-SafeTP1', 0);
      const step = server.onLine(`ADAT ${adat}`, 0);
      return step.kind === 'close' ? step.line : step.kind;
    });
    assert.deepEqual(new Set(replies), new Set(['535 Security data refused.']));
  });
});
