import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SafetpClient } from '../../../../daemon/security/safetp/client.js';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';
import { ServerChannel } from '../../../../daemon/security/safetp/server-channel.js';
import type { SafetpSession } from '../../../../daemon/security/safetp/safetp-session.js';
import { Transcript, isDigestReply } from '../../../../daemon/security/safetp/transcript.js';
import { SERVER, STRICT, serverKey } from './fixture.js';

function newChannel(requirePrivate = false): ServerChannel {
  return new ServerChannel({
    key: serverKey,
    address: SERVER,
    groups: STRICT,
    mechanisms: ['TLS', 'X-SafeTP1'],
    random: systemRandom,
    requirePrivate,
  });
}

const wire = (line: string): Buffer => Buffer.from(`${line}\r\n`, 'latin1');

/** A client and a channel that have negotiated. */
function secured(channel = newChannel()): {
  readonly channel: ServerChannel;
  readonly client: SafetpSession;
} {
  const transcript = new Transcript();
  const client = new SafetpClient({ server: SERVER, groupBits: 1024, random: systemRandom, transcript });
  let step = client.start();
  for (;;) {
    if (step.kind === 'judge') step = client.onTrusted();
    if (step.kind === 'secured') return { channel, client: step.session };
    assert.ok(step.kind === 'send');
    transcript.fromClient(wire(step.line));
    const answer = channel.receive(wire(step.line), 0);
    assert.ok(answer.kind === 'send');
    transcript.fromServer(answer.bytes);
    const text = answer.bytes.toString('latin1').trimEnd();
    step = client.onReply({ code: Number(text.slice(0, 3)), lines: [text] });
  }
}

/** A protected command, and what the channel makes of it; an answer is opened. */
function ask(
  { channel, client }: ReturnType<typeof secured>,
  line: string,
): { readonly kind: string; readonly text: string } {
  const step = channel.receive(client.sealer.seal(Buffer.from(line, 'latin1')).wire, 0);
  if (step.kind === 'clear') return { kind: 'clear', text: step.line };
  if (step.kind === 'request') return { kind: 'request', text: step.line.toString('latin1') };
  const opened = client.opener.open(step.bytes.subarray(0, -2));
  return { kind: step.kind, text: opened.kind === 'line' ? opened.line.toString('latin1') : 'unreadable' };
}

describe('a control connection on the server’s side', () => {
  it('secures, answers DIGT, PBSZ and PROT itself and hands the rest on with its number', () => {
    const both = secured();
    assert.ok(isDigestReply(ask(both, 'DIGT').text, both.client.digest));
    assert.equal(ask(both, 'PBSZ 8192').text, '200 PBSZ=8192');
    assert.match(ask(both, 'PROT P').text, /^200 /);
    const { wire } = both.client.sealer.seal(Buffer.from('RETR a b'));
    const step = both.channel.receive(wire, 0);
    assert.deepEqual(step, { kind: 'request', line: Buffer.from('RETR a b'), sequence: 3 });
  });
  it('covers what was said in clear before, the backend’s answers with it', () => {
    const channel = newChannel();
    assert.equal(channel.reply(Buffer.from('220 hello')).toString(), '220 hello\r\n');
    assert.deepEqual(channel.receive(wire('FEAT'), 0), { kind: 'clear', line: 'FEAT' });
    channel.reply(Buffer.from('211 none'));
    const both = secured(channel);
    // The client did not see FEAT: for it that is an attack.
    assert.ok(!isDigestReply(ask(both, 'DIGT').text, both.client.digest));
  });
  it('ends at a line in clear or one that is not authentic, with one reply in clear', () => {
    const cases = { NOOP: '533 ', 'MIC x': '537 ', 'CONF x': '537 ', 'ENC AAAA': '535 ', '': '533 ' };
    for (const [line, reply] of Object.entries(cases)) {
      const { channel } = secured();
      const step = channel.receive(wire(line), 0);
      assert.ok(step.kind === 'close' && step.bytes.toString().startsWith(reply), line);
      assert.ok(step.bytes.toString().endsWith('\r\n'));
    }
  });
  it('stays dead after that', () => {
    const both = secured();
    both.channel.receive(wire('NOOP'), 0);
    assert.equal(ask(both, 'USER a').kind, 'close');
  });
  it('ends at bytes behind a line of the negotiation, without a word', () => {
    const step = newChannel().receive(wire('AUTH X-SafeTP1'), 5);
    assert.ok(step.kind === 'close' && step.bytes.length === 0);
  });
  it('knows how the data of each transfer is protected', () => {
    const both = secured();
    assert.equal(newChannel().transfer(0).kind, 'clear');
    assert.equal(both.channel.transfer(1).kind, 'clear');
    ask(both, 'PBSZ 4096');
    ask(both, 'PROT S');
    const transfer = both.channel.transfer(7);
    assert.ok(transfer.kind === 'blocks');
    const writer = transfer.writer();
    const reader = both.client.blockReader({ level: 'S', fileSequence: 7, bufferSize: 4096 });
    const read = reader.push(Buffer.concat([...writer.write(Buffer.from('data')), ...writer.end()]));
    assert.deepEqual(read, { kind: 'data', data: [Buffer.from('data')], ended: true });
    ask(both, 'PROT C');
    assert.equal(both.channel.transfer(8).kind, 'clear');
  });
  it('refuses transfers without PROT P where that is required', () => {
    const both = secured(newChannel(true));
    assert.equal(both.channel.transfer(1).kind, 'refused');
    ask(both, 'PBSZ 4096');
    ask(both, 'PROT P');
    assert.equal(both.channel.transfer(2).kind, 'blocks');
  });
  it('sends each line of a reply by itself', () => {
    const { channel, client } = secured();
    for (const line of ['230-Welcome', ' to this server', '230 In']) {
      const opened = client.opener.open(channel.reply(Buffer.from(line)).subarray(0, -2));
      assert.ok(opened.kind === 'line' && opened.line.toString() === line);
    }
    assert.throws(() => channel.reply(Buffer.from('x'.repeat(5000))), { name: 'Fault', code: 'protocol' });
  });
});
