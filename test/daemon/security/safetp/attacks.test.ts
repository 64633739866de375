// The list at the end of the specification, in its order: every attack fails. What a session does about AUTHs that are swallowed and
// weaker mechanisms that are forced is tested where it is decided (test/daemon/ftp, test/compliance).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toBase64 } from '../../../../daemon/security/safetp/base64.js';
import { parseBufferSizeReply } from '../../../../daemon/security/safetp/buffer-size.js';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';
import type { SafetpSession, TransferProtection } from '../../../../daemon/security/safetp/safetp-session.js';
import { SafetpServer } from '../../../../daemon/security/safetp/server.js';
import {
  Transcript,
  formatDigestReply,
  isDigestReply,
} from '../../../../daemon/security/safetp/transcript.js';
import {
  SERVER,
  STRICT,
  editAdat,
  flipped,
  negotiate,
  secured,
  serverKey,
  type Middle,
  type Talk,
} from './fixture.js';

const TRANSFER: TransferProtection = { level: 'P', fileSequence: 4, bufferSize: 4096 };

const malformed = { name: 'Fault', code: 'protocol' };

function say(session: SafetpSession, text: string): Buffer {
  return session.sealer.seal(Buffer.from(text)).wire.subarray(0, -2);
}

function file(
  session: SafetpSession,
  text: string,
  over: Partial<TransferProtection> = {},
): readonly Buffer[] {
  const writer = session.blockWriter({ ...TRANSFER, ...over });
  const parts = [...writer.write(Buffer.from(text)), ...writer.end()];
  const blocks: Buffer[] = [];
  for (let i = 0; i < parts.length; i += 2) blocks.push(Buffer.concat(parts.slice(i, i + 2)));
  return blocks;
}

/** `broken`, or how it ended. */
function receive(session: SafetpSession, bytes: Uint8Array, over: Partial<TransferProtection> = {}): string {
  const reader = session.blockReader({ ...TRANSFER, ...over });
  const read = reader.push(bytes);
  return read.kind === 'broken' ? 'broken' : reader.ended ? 'complete' : 'truncated';
}

/** The client must fail, and send nothing after the line of the server with this index. */
function clientFails(talk: Talk, serverLine: number): void {
  const { client, lines } = negotiate(talk);
  assert.equal(client.kind, 'failed');
  assert.equal(lines.length, (serverLine + 1) * 2);
}

describe('attacks on protected lines and blocks', () => {
  it('replay of a control line', () => {
    const { client, server } = secured();
    const line = say(client, 'DELE a');
    assert.equal(server.opener.open(line).kind, 'line');
    assert.equal(server.opener.open(line).kind, 'broken');
  });
  it('replay of a data block', () => {
    const { client, server } = secured();
    const [block = Buffer.alloc(0), end = Buffer.alloc(0)] = file(server, 'data');
    assert.equal(receive(client, Buffer.concat([block, end])), 'complete');
    assert.equal(receive(client, Buffer.concat([block, block, end])), 'broken');
  });
  it('replay of a whole file, under another request of the same session', () => {
    const { client, server } = secured();
    const whole = Buffer.concat(file(server, 'data'));
    assert.equal(receive(client, whole, { fileSequence: 5 }), 'broken');
    assert.equal(
      receive(client, Buffer.concat(file(server, 'data', { level: 'S' })), { level: 'S', fileSequence: 5 }),
      'broken',
    );
  });
  it('echo of the peer’s own line or block', () => {
    const { client } = secured();
    const line = say(client, 'NOOP');
    const asReply = Buffer.concat([Buffer.from('632 '), line.subarray(4)]);
    assert.equal(client.opener.open(asReply).kind, 'broken');
    assert.equal(receive(client, Buffer.concat(file(client, 'data'))), 'broken');
    assert.equal(
      receive(client, Buffer.concat(file(client, 'data', { level: 'S' })), { level: 'S' }),
      'broken',
    );
  });
  it('a whole-session replay to the server', () => {
    const first = negotiate();
    const server = new SafetpServer({
      key: serverKey,
      address: SERVER,
      groups: STRICT,
      mechanisms: ['X-SafeTP1'],
      random: systemRandom,
      transcript: new Transcript(),
    });
    const answers = [0, 2, 4].map((index) => server.onLine(first.lines[index] ?? '', 0));
    assert.deepEqual(
      answers.map((step) => step.kind),
      ['reply', 'reply', 'close'],
    );
  });
  it('a whole-session replay to the client', () => {
    const first = negotiate();
    clientFails(
      { middle: (from, line, at) => (from === 'server' ? (first.lines[at * 2 + 1] ?? '') : line) },
      1,
    );
  });
  it('swapped blocks', () => {
    const { client, server } = secured();
    const [one = Buffer.alloc(0), two = Buffer.alloc(0), end = Buffer.alloc(0)] = file(
      server,
      'x'.repeat(8000),
    );
    assert.equal(receive(client, Buffer.concat([one, two, end])), 'complete');
    assert.equal(receive(client, Buffer.concat([two, one, end])), 'broken');
    assert.equal(receive(client, Buffer.concat([one, end])), 'broken');
  });
  it('cut stream', () => {
    const { client, server } = secured();
    const blocks = file(server, 'x'.repeat(8000));
    assert.equal(receive(client, Buffer.concat(blocks.slice(0, -1))), 'truncated');
    assert.equal(receive(client, Buffer.alloc(0)), 'truncated');
  });
  it('bytes behind the end block', () => {
    const { client, server } = secured();
    const blocks = Buffer.concat(file(server, 'data'));
    assert.equal(receive(client, Buffer.concat([blocks, Buffer.from([0])])), 'broken');
    const reader = client.blockReader(TRANSFER);
    assert.equal(reader.push(blocks).kind, 'data');
    assert.equal(reader.push(Buffer.from('x')).kind, 'broken');
    assert.equal(reader.ended, false);
  });
  it('data block as control line', () => {
    const { client, server } = secured();
    const [block = Buffer.alloc(0)] = file(client, 'x'.repeat(36), { fileSequence: 0 });
    const line = Buffer.from(`ENC ${toBase64(block.subarray(4))}`);
    assert.equal((block.length - 4 - 8) % 64, 8);
    assert.equal(server.opener.open(line).kind, 'broken');
    const [long = Buffer.alloc(0)] = file(client, 'x'.repeat(92), { fileSequence: 0 });
    assert.equal((long.length - 4 - 8) % 64, 0);
    assert.equal(
      secured().server.opener.open(Buffer.from(`ENC ${toBase64(long.subarray(4))}`)).kind,
      'broken',
    );
  });
  it('flipped bit anywhere in the negotiation', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(), (index, bit) => {
        const from = index % 2 === 0 ? 'client' : 'server';
        const at = Math.floor(index / 2);
        // The last line, the 235, carries nothing but its text; DIGT covers that.
        const middle: Middle = (side, line, n) =>
          side === from && n === at && index < 5
            ? editAdat(line, (bytes) => flipped(bytes, bit))
            : side === from && n === at
              ? flipped(Buffer.from(line, 'latin1'), (bit % 8) + 32 + 8 * (bit % 20)).toString('latin1')
              : line;
        const { clientSession, serverSession } = negotiate({ middle });
        const both = clientSession !== undefined && serverSession !== undefined;
        assert.ok(!both || !isDigestReply(formatDigestReply(serverSession.digest), clientSession.digest));
      }),
      { numRuns: 120 },
    );
  });
  it('padding and HMAC errors told apart', () => {
    const { client, server } = secured();
    const line = say(client, 'PASS secret');
    const answers = [8, 40, 400].map((bit) =>
      secured().server.opener.open(
        Buffer.from(editAdat(line.toString(), (bytes) => flipped(bytes, bytes.length * 8 - bit))),
      ),
    );
    assert.deepEqual(
      new Set(answers.map((answer) => JSON.stringify(answer))),
      new Set(['{"kind":"broken"}']),
    );
    assert.equal(server.opener.open(line).kind, 'line');
  });
  it('line break inside a line', () => {
    const { client } = secured();
    assert.throws(() => client.sealer.seal(Buffer.from('USER a\r\nDELE b')), malformed);
  });
  it('PBSZ larger than proposed', () => {
    assert.equal(parseBufferSizeReply('200 PBSZ=65536', 32_768), undefined);
  });
  it('block beyond PBSZ', () => {
    const { client, server } = secured();
    for (const level of ['P', 'S'] as const) {
      const large = Buffer.concat(file(server, 'x'.repeat(4200), { level, bufferSize: 8192 }));
      assert.equal(receive(client, large, { level }), 'broken');
    }
  });
  it('stolen passive connection', () => {
    const { client, server } = secured();
    const thief = secured();
    assert.equal(receive(client, Buffer.concat(file(thief.server, 'forged'))), 'broken');
    assert.equal(receive(thief.client, Buffer.concat(file(server, 'secret'))), 'broken');
  });
  it('repeated randomness', () => {
    const talks = Array.from({ length: 4 }, () => negotiate().lines);
    for (const index of [2, 3, 4]) assert.equal(new Set(talks.map((lines) => lines[index])).size, 4);
    const { client } = secured();
    const lines = Array.from({ length: 200 }, () => say(client, 'NOOP').toString());
    assert.equal(new Set(lines.map((line) => line.slice(4, 14))).size, 200);
    const halves = Array.from({ length: 50 }, () => serverKey.signer.sign(Buffer.from('same')).r);
    assert.equal(new Set(halves).size, 50);
  });
  it('repeated randomness of one side alone gives no keys twice', () => {
    const frozen = (seed: number) => {
      let n = seed;
      return (size: number): Buffer =>
        Buffer.from(Array.from({ length: size }, () => (n = (n * 75 + 74) % 65_537) & 255));
    };
    const first = secured({ clientRandom: frozen(3) });
    const second = secured({ clientRandom: frozen(3) });
    assert.equal(second.server.opener.open(say(first.client, 'NOOP')).kind, 'broken');
    assert.equal(receive(second.client, Buffer.concat(file(first.server, 'data'))), 'broken');
  });
});
