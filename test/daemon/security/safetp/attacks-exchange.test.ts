// The list at the end of the specification, continued: attacks on the key exchange.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toBase64 } from '../../../../daemon/security/safetp/base64.js';
import { brandKey, readBrandedKey, type BrandedKey } from '../../../../daemon/security/safetp/branded-key.js';
import { encodeSignature } from '../../../../daemon/security/safetp/dsa-key.js';
import {
  encodeElGamal,
  generateElGamal,
  readElGamal,
  type ElGamalPublicKey,
} from '../../../../daemon/security/safetp/elgamal.js';
import { bytesField, mpint, str } from '../../../../daemon/security/safetp/encoding.js';
import {
  exchangeHash,
  formatBody,
  formatFirstAdat,
  formatProof,
  formatServerAdat,
  parseBody,
  parseFirstAdat,
  parseServerAdat,
  signedExchange,
} from '../../../../daemon/security/safetp/exchange.js';
import { unwrapMaster, wrapMaster } from '../../../../daemon/security/safetp/key-transport.js';
import { GROUP_PRIMES } from '../../../../daemon/security/safetp/groups.js';
import { jacobi, numberOf } from '../../../../daemon/security/safetp/numbers.js';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';
import { SafetpServer } from '../../../../daemon/security/safetp/server.js';
import { SessionKeys } from '../../../../daemon/security/safetp/session-keys.js';
import {
  Transcript,
  formatDigestReply,
  isDigestReply,
} from '../../../../daemon/security/safetp/transcript.js';
import {
  SERVER,
  STRICT,
  address,
  editAdat,
  negotiate,
  otherKey,
  secured,
  serverKey,
  type Middle,
  type Talk,
} from './fixture.js';

const malformed = { name: 'Fault', code: 'protocol' };

/** The client must fail, and send nothing after the line of the server with this index. */
function clientFails(talk: Talk, serverLine: number): void {
  const { client, lines } = negotiate(talk);
  assert.equal(client.kind, 'failed');
  assert.equal(lines.length, (serverLine + 1) * 2);
}

function onServerLine(index: number, edit: (line: string) => string): Middle {
  return (from, line, at) => (from === 'server' && at === index ? edit(line) : line);
}

function onClientLine(index: number, edit: (line: string) => string): Middle {
  return (from, line, at) => (from === 'client' && at === index ? edit(line) : line);
}

function signed(brand: string, key: BrandedKey, signer = serverKey.signer): Buffer {
  const part = Buffer.concat([str('ftpseal-brand1'), str(brand), bytesField(key.key.encoded)]);
  return Buffer.concat([part, bytesField(encodeSignature(signer.sign(part)))]);
}

describe('attacks on the key exchange', () => {
  it('key synchronisation: a trusted server passes another’s master secret on to its own client', () => {
    // M is trusted by the client under its own key, and plays the client towards S.
    const towardsServer = generateElGamal(1024, systemRandom);
    const challenge = systemRandom(32);
    const transcript = new Transcript();
    const s = new SafetpServer({
      key: serverKey,
      address: SERVER,
      groups: STRICT,
      mechanisms: [],
      random: systemRandom,
      transcript,
    });
    s.onLine('AUTH X-SafeTP1', 0);
    const own = encodeElGamal(towardsServer.publicKey);
    const step = s.onLine(
      `ADAT ${toBase64(formatFirstAdat({ elGamalKey: own, clientChallenge: challenge }))}`,
      0,
    );
    assert.ok(step.kind === 'reply');
    const adat = parseServerAdat(Buffer.from(step.line.slice('335 ADAT='.length), 'base64'));
    const fromServer = parseBody(adat.body);
    const master = unwrapMaster(towardsServer, fromServer.ciphertext);
    // The victim's client accepts M's signed exchange, with S's challenge and S's secret in it …
    const victim = generateElGamal(1024, systemRandom);
    const elGamalKey = encodeElGamal(victim.publicKey);
    const body = formatBody({
      serverChallenge: fromServer.serverChallenge,
      clientChallenge: challenge,
      serverAddress: '*',
      ciphertext: wrapMaster(victim.publicKey, master, systemRandom),
    });
    const victimKeys = new SessionKeys(
      master,
      exchangeHash(signedExchange(otherKey.branded, elGamalKey, body)),
    );
    // … but what it says means nothing to S, although both hold the same secret.
    const proof = formatProof(victimKeys, fromServer.serverChallenge, systemRandom);
    assert.equal(s.onLine(`ADAT ${toBase64(proof)}`, 0).kind, 'close');
  });
  it('changed brand', () => {
    const middle = onServerLine(0, (line) =>
      editAdat(line, (bytes) =>
        Buffer.from(bytes.toString('latin1').replace('ftp.example', 'ftq.example'), 'latin1'),
      ),
    );
    clientFails({ middle }, 0);
  });
  it('another brand of the same key in the middle', () => {
    const renamed = brandKey(serverKey.signer, 'renamed').encoded;
    clientFails({ middle: onServerLine(0, () => `334 ADAT=${toBase64(renamed)}`) }, 1);
  });
  it('hostile brand', () => {
    for (const brand of ['', ' ', 'a\u202eb', 'a\nb', 'a\u0000b', '\u200b', 'a\u0085b', 'x'.repeat(257)]) {
      assert.throws(() => readBrandedKey(signed(brand, serverKey.branded)), malformed);
      clientFails(
        { middle: onServerLine(0, () => `334 ADAT=${toBase64(signed(brand, serverKey.branded))}`) },
        0,
      );
    }
  });
  it('another server’s signature', () => {
    const swapped = { signer: otherKey.signer, branded: serverKey.branded };
    clientFails({ key: swapped }, 1);
    assert.throws(() => readBrandedKey(signed('x', serverKey.branded, otherKey.signer)), malformed);
  });
  it('degenerate DSA key', () => {
    const { p, q } = serverKey.branded.key.numbers;
    const numbers = Buffer.concat([mpint(p), mpint(q), mpint(1n), mpint(1n)]);
    const signature = Buffer.concat([mpint(1n), mpint(1n)]);
    const key = Buffer.concat([str('ftpseal-brand1'), str('x'), bytesField(numbers), bytesField(signature)]);
    clientFails({ middle: onServerLine(0, () => `334 ADAT=${toBase64(key)}`) }, 0);
  });
  it('335 for another client key', () => {
    const attacker = encodeElGamal(generateElGamal(1024, systemRandom).publicKey);
    const middle = onClientLine(1, (line) =>
      editAdat(line, (bytes) => formatFirstAdat({ ...parseFirstAdat(bytes), elGamalKey: attacker })),
    );
    clientFails({ middle }, 1);
  });
  it('335 for another challenge or another address', () => {
    const middle = onClientLine(1, (line) =>
      editAdat(line, (bytes) =>
        formatFirstAdat({ ...parseFirstAdat(bytes), clientChallenge: systemRandom(32) }),
      ),
    );
    clientFails({ middle }, 1);
    clientFails({ dialled: address('192.0.2.2') }, 1);
    clientFails({ dialled: address('2001:db8::1') }, 1);
  });
  it('335 with an address in an unknown form', () => {
    for (const text of ['192.0.2.1:21', 'fe80::1%eth0', 'ftp.example.org', '', '192.0.2.001', '**'])
      clientFails({ address: text as typeof SERVER }, 1);
  });
  it('bytes pipelined behind AUTH or ADAT (T02)', () => {
    const lines = negotiate().lines;
    const options = {
      key: serverKey,
      address: SERVER,
      groups: STRICT,
      mechanisms: [],
      random: systemRandom,
      transcript: new Transcript(),
    };
    assert.deepEqual(new SafetpServer(options).onLine('AUTH X-SafeTP1', 1), {
      kind: 'close',
      line: undefined,
      reason: 'bytes behind a line of the negotiation',
    });
    const server = new SafetpServer(options);
    server.onLine('AUTH X-SafeTP1', 0);
    assert.equal(server.onLine(lines[2] ?? '', 12).kind, 'close');
    assert.equal(server.onLine('ADAT AAAA', 0).kind, 'reply');
  });
  it('more lines, data or another code where 334, 335 and 235 are expected (T02)', () => {
    for (const [index, line] of [
      [0, '234 go on'],
      [0, '334 ADAT='],
      [0, '334 hello'],
      [0, '235 done'],
      [1, '334 ADAT=AAAA'],
      [1, '235 done'],
      [2, '234 done'],
      [2, '335 ADAT=AAAA'],
      [2, '235 ADAT=AAAA'],
      [2, '235-done\r\n235 done'],
      [2, '535 no'],
    ] as const)
      clientFails({ middle: onServerLine(index, () => line) }, index);
    clientFails({ middle: onServerLine(0, (line) => `334-x\r\n${line}`) }, 0);
  });
  it('edited FEAT before AUTH (T05)', () => {
    const before = [{ line: 'FEAT', answer: '211-Features:\r\n AUTH TLS;X-SafeTP1\r\n211 End' }];
    const middle = onServerLine(0, () => '211-Features:\r\n211 End');
    const { client, server } = secured({ before, middle });
    assert.ok(!isDigestReply(formatDigestReply(server.digest), client.digest));
  });
  it('a stronger mechanism refused by the middle, the weaker one forced (T09)', () => {
    const before = [{ line: 'AUTH TLS', answer: '234 go on' }];
    const { client, server } = secured({ before, middle: onServerLine(0, () => '502 no') });
    assert.ok(!isDigestReply(formatDigestReply(server.digest), client.digest));
  });
  it('DIGT refused', () => {
    const { client } = secured();
    for (const reply of [
      '502 unknown',
      '211 DIGT=AAAA',
      `212 ${formatDigestReply(client.digest).slice(4)}`,
      '200 ok',
    ])
      assert.ok(!isDigestReply(reply, client.digest));
  });
  it('ElGamal key below the minimum, composite p, g of 1, y of 0, 1, p-1 or outside the subgroup', () => {
    const good = generateElGamal(1024, systemRandom).publicKey;
    const { p, g, y } = good;
    let outside = 3n;
    while (jacobi(outside, p) !== -1) outside += 1n;
    const bad: Readonly<Record<string, ElGamalPublicKey>> = {
      small: generateElGamal(768, systemRandom).publicKey,
      composite: { p: p + 4n, g, y },
      'g 1': { p, g: 1n, y },
      'y 0': { p, g, y: 0n },
      'y 1': { p, g, y: 1n },
      'y p-1': { p, g, y: p - 1n },
      outside: { p, g, y: outside },
      large: { p: GROUP_PRIMES[2048] * 4n + 1n, g, y },
    };
    assert.deepEqual(readElGamal(encodeElGamal(good), STRICT), good);
    for (const [what, key] of Object.entries(bad)) {
      const middle = onClientLine(1, (line) =>
        editAdat(line, (bytes) =>
          formatFirstAdat({ ...parseFirstAdat(bytes), elGamalKey: encodeElGamal(key) }),
        ),
      );
      const { server, serverSession } = negotiate({ middle });
      assert.ok(server.kind === 'close' && server.line?.startsWith('535 '), what);
      assert.equal(serverSession, undefined);
    }
  });
  it('DSA r or s out of range', () => {
    const { q } = serverKey.branded.key.numbers;
    for (const change of [(n: bigint) => n + q, () => 0n, () => q]) {
      const signer = {
        publicKey: serverKey.signer.publicKey,
        sign: (message: Uint8Array) => {
          const { r, s } = serverKey.signer.sign(message);
          return { r: change(r), s };
        },
      };
      clientFails({ key: { signer, branded: serverKey.branded } }, 1);
    }
  });
  it('a secret of the wrong form, rightly signed', () => {
    let clientKey: Buffer = Buffer.alloc(0);
    const middle: Middle = (from, line, at) => {
      if (at === 1 && from === 'client')
        clientKey = parseFirstAdat(Buffer.from(line.slice('ADAT '.length), 'base64')).elGamalKey;
      if (at !== 1 || from === 'client') return line;
      return editAdat(line, (bytes) => {
        const ciphertext = { c1: 1n, c2: numberOf(systemRandom(96)) };
        const body = formatBody({ ...parseBody(parseServerAdat(bytes).body), ciphertext });
        const signature = serverKey.signer.sign(signedExchange(serverKey.branded, clientKey, body));
        return formatServerAdat({ body, signature: encodeSignature(signature) });
      });
    };
    clientFails({ middle }, 1);
  });
});
