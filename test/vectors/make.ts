// Makes the test vectors of X-SafeTP1: a whole session from fixed keys and fixed randomness, through the program's own two sides.
// `node dist/test/vectors/make.js > test/vectors/x-safetp1.json`; a test compares, so that program and file can't drift apart.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { toBase64 } from '../../daemon/security/safetp/base64.js';
import { brandKey } from '../../daemon/security/safetp/branded-key.js';
import { SafetpClient } from '../../daemon/security/safetp/client.js';
import { encodeElGamal } from '../../daemon/security/safetp/elgamal.js';
import { parseBody, parseServerAdat, signedExchange } from '../../daemon/security/safetp/exchange.js';
import { GENERATOR, GROUP_PRIMES } from '../../daemon/security/safetp/groups.js';
import { formatKeyText } from '../../daemon/security/safetp/key-text.js';
import type { DsaSigner } from '../../daemon/security/safetp/native/dsa.js';
import { power } from '../../daemon/security/safetp/native/power.js';
import { bytesOf, numberOf } from '../../daemon/security/safetp/numbers.js';
import type { Random } from '../../daemon/security/safetp/random.js';
import type { SafetpSession } from '../../daemon/security/safetp/safetp-session.js';
import { SafetpServer } from '../../daemon/security/safetp/server.js';
import { SessionKeys } from '../../daemon/security/safetp/session-keys.js';
import { Transcript } from '../../daemon/security/safetp/transcript.js';
import { parseIpAddress } from '../../shared/endpoint.js';

const p = BigInt(
  '0x' +
    'dc7b8ab9bc85d5ff41e50d9ce7b7231bad32e4ab3546ebf9455865054102ff07aa2590f9716974bd1056d8b7124de81e' +
    'b3eb464186a5f7c9d54623787b931e4109dfeb8287766df44f688ca0715e32c01721698533b441ecb14db1a02d0bd23b' +
    'bc1253bd7bc556693e208e2375ff1610fb66c056c6fa82a33a195264874d745f',
);
const q = 0x93a75ad25fe074b0ca9372918e4522a728a74173n;
const g = BigInt(
  '0x' +
    '2052d601bef077fdc5319e37671b407985cf9b27e3bf1ef36f3bde822720b02deca139cda92852d18cbb424a8ca42f3c' +
    '62930edab480fe4e547cbc86747d310c40c6930f41ce66e494fcb5047813135f243760aaaf166b656914ec2ab250cac0' +
    '445b730025d989a767f8a248ed32e481de823d1503fbc03fca085b5779e074c9',
);
const prime = GROUP_PRIMES[2048];
const BRAND = 'Café example – ftp.example.org';
const ADDRESS = '192.0.2.1';
const BUFFER_SIZE = 4096;
const CLIENT_LINES = ['DIGT', 'USER anonymous', 'PASS ', 'PBSZ 4096', 'RETR \u00e9\r\0.txt'];
const SERVER_LINES = (digest: string): readonly string[] => [
  `211 DIGT=${digest}`,
  '331 Password, please',
  '230-Welcome',
  ' to this server',
  '230 Logged in',
];

/** Randomness that everybody can make again: SHA-256 of a label and a counter. */
function fixed(label: string, size: number): Buffer {
  const parts = Array.from({ length: Math.ceil(size / 32) }, (_, i) =>
    createHash('sha256').update(`ftpseal vectors: ${label} ${i}`).digest(),
  );
  return Buffer.concat(parts).subarray(0, size);
}

function fixedNumber(label: string, below: bigint): bigint {
  return (numberOf(fixed(label, bytesOf(below).length)) % (below - 1n)) + 1n;
}

/** A source that gives these bytes, and whose every draw must fit. */
function scripted(...draws: readonly Buffer[]): {
  readonly random: Random;
  add(...more: readonly Buffer[]): void;
} {
  const queue = [...draws];
  return {
    random: (size) => {
      const next = queue.shift();
      if (next?.length !== size)
        throw new Error(`the script has ${next?.length ?? 'no'} bytes where ${size} are drawn`);
      return next;
    },
    add: (...more) => {
      queue.push(...more);
    },
  };
}

/** Signs with a given k each time, which nobody may do in earnest. */
function signerWith(x: bigint, ks: readonly bigint[]): DsaSigner {
  const queue = [...ks];
  return {
    publicKey: { p, q, g, y: power(g, x, p) },
    sign: (message) => {
      const k = queue.shift();
      if (k === undefined) throw new Error('no k left');
      const hash = numberOf(createHash('sha1').update(message).digest());
      const r = power(g, k, p) % q;
      return { r, s: (power(k, q - 2n, q) * (hash + x * r)) % q };
    },
  };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hexOf = (value: bigint): string => hex(bytesOf(value));

/** The whole of the vectors, ready for JSON. */
export function makeVectors(): Readonly<Record<string, unknown>> {
  const dsaX = fixedNumber('dsa x', q);
  const ks = [fixedNumber('brand k', q), fixedNumber('exchange k', q)] as const;
  const signer = signerWith(dsaX, ks);
  const branded = brandKey(signer, BRAND);
  // The draws of both sides in the order in which they make them.
  const half = (prime - 1n) / 2n - 1n;
  const x = fixedNumber('client x', half);
  const clientDraws = { challenge: fixed('client challenge', 32), proofIv: fixed('proof iv', 8) };
  const client = scripted(padded(x, 256), clientDraws.challenge, clientDraws.proofIv);
  const k = fixedNumber('server k', half);
  const serverDraws = { challenge: fixed('server challenge', 32), master: fixed('master', 48) };
  const filler = fixed('filler', 205).map((byte) => (byte === 0 ? 1 : byte)) as Buffer;
  const server = scripted(serverDraws.challenge, serverDraws.master, filler, padded(k, 256));
  const talk = converse({ branded, signer }, client.random, server.random);
  const answer = Buffer.from(talk.lines.at(-3)?.line.slice('335 ADAT='.length) ?? '', 'base64');
  const { body } = parseServerAdat(answer);
  const publicKey = { p: prime, g: GENERATOR, y: power(GENERATOR, x, prime) };
  const signed = signedExchange(branded, encodeElGamal(publicKey), body);
  const hash = createHash('sha1').update(signed).digest();
  return {
    about:
      'Test vectors of X-SafeTP1 as ftpseal speaks it. Bytes and numbers are in hexadecimal; see docs/x-safetp1.md.',
    dsa: {
      p: hexOf(p),
      q: hexOf(q),
      g: hexOf(g),
      x: hexOf(dsaX),
      y: hexOf(branded.key.numbers.y),
      encoded: hex(branded.key.encoded),
      fingerprint: branded.key.fingerprint,
    },
    brandedKey: {
      brand: BRAND,
      k: hexOf(ks[0]),
      encoded: hex(branded.encoded),
      text: formatKeyText(branded),
    },
    clientKey: {
      p: hexOf(prime),
      g: hexOf(GENERATOR),
      x: hexOf(x),
      y: hexOf(publicKey.y),
      encoded: hex(encodeElGamal(publicKey)),
    },
    exchange: {
      clientChallenge: hex(clientDraws.challenge),
      serverChallenge: hex(serverDraws.challenge),
      serverAddress: parseBody(body).serverAddress,
      master: hex(serverDraws.master),
      filler: hex(filler),
      k: hexOf(k),
      body: hex(body),
      signatureK: hexOf(ks[1]),
      hash: hex(hash),
      proofIv: hex(clientDraws.proofIv),
    },
    negotiation: talk.lines,
    digest: hex(talk.client.digest),
    sessionKeys: sessionKeyRows(new SessionKeys(serverDraws.master, hash)),
    lines: [
      ...lineRows('c2s', talk.client, client, CLIENT_LINES),
      ...lineRows('s2c', talk.server, server, SERVER_LINES(toBase64(talk.server.digest))),
    ],
    blocks: blockRows(talk.server, server),
  };
}

function padded(value: bigint, length: number): Buffer {
  const bytes = bytesOf(value);
  return Buffer.concat([Buffer.alloc(length - bytes.length), bytes]);
}

interface Line {
  readonly from: 'C' | 'S';
  readonly line: string;
}

function converse(
  key: { readonly branded: ReturnType<typeof brandKey>; readonly signer: DsaSigner },
  clientRandom: Random,
  serverRandom: Random,
): { readonly lines: readonly Line[]; readonly client: SafetpSession; readonly server: SafetpSession } {
  const address = parseIpAddress(ADDRESS);
  if (address === undefined) throw new Error('no address');
  const transcripts = { client: new Transcript(), server: new Transcript() };
  const client = new SafetpClient({
    server: address,
    groupBits: 2048,
    random: clientRandom,
    transcript: transcripts.client,
  });
  const server = new SafetpServer({
    key,
    address,
    groups: { minBits: 1024, otherPrimes: 'refuse' },
    mechanisms: ['TLS', 'X-SafeTP1'],
    random: serverRandom,
    transcript: transcripts.server,
  });
  const lines: Line[] = [];
  const note = (from: 'C' | 'S', line: string): void => {
    lines.push({ from, line });
    for (const one of [transcripts.client, transcripts.server])
      one[from === 'C' ? 'fromClient' : 'fromServer'](Buffer.from(`${line}\r\n`, 'latin1'));
  };
  note('C', 'FEAT');
  note('S', '211 no features');
  let step = client.start();
  for (;;) {
    if (step.kind === 'judge') step = client.onTrusted();
    if (step.kind !== 'send') throw new Error(step.kind);
    note('C', step.line);
    const answer = server.onLine(step.line, 0);
    if (answer.kind !== 'reply' && answer.kind !== 'secured') throw new Error(answer.kind);
    note('S', answer.line);
    step = client.onReply({ code: Number(answer.line.slice(0, 3)), lines: [answer.line] });
    if (answer.kind === 'secured' && step.kind === 'secured')
      return { lines, client: step.session, server: answer.secure() };
  }
}

function sessionKeyRows(keys: SessionKeys): readonly unknown[] {
  const rows: unknown[] = [];
  for (const direction of ['c2s', 's2c'] as const) {
    const control = keys.control(direction);
    rows.push({ label: `${direction} control enc`, key: hex(control.enc) });
    rows.push({ label: `${direction} control mac`, key: hex(control.mac) });
    for (const [fileSequence, blockSequence] of [
      [4, 0],
      [4, 63],
      [4, 64],
      [5, 0],
    ] as const) {
      const data = keys.data(direction, fileSequence, blockSequence);
      rows.push({ label: `${direction} data enc`, fileSequence, blockSequence, key: hex(data.enc) });
      rows.push({ label: `${direction} data mac`, fileSequence, blockSequence, key: hex(data.mac) });
    }
  }
  return rows;
}

function lineRows(
  direction: 'c2s' | 's2c',
  session: SafetpSession,
  source: ReturnType<typeof scripted>,
  lines: readonly string[],
): readonly unknown[] {
  return lines.map((text, index) => {
    const iv = fixed(`iv ${direction} ${index}`, 8);
    source.add(iv);
    const line = Buffer.from(text, 'latin1');
    const { wire, sequence } = session.sealer.seal(line);
    return { direction, sequence, line: hex(line), iv: hex(iv), wire: wire.toString('latin1').trimEnd() };
  });
}

/** A block of data and the end of a file under PROT P, and a block under PROT S. */
function blockRows(session: SafetpSession, source: ReturnType<typeof scripted>): readonly unknown[] {
  const ivs = [fixed('iv block 0', 8), fixed('iv block 1', 8)] as const;
  source.add(...ivs);
  const data = Buffer.from('The quick brown fox jumps over the lazy dog.\r\n');
  const file = { level: 'P', fileSequence: 4, bufferSize: BUFFER_SIZE } as const;
  const writer = session.blockWriter(file);
  const common = { direction: 's2c', level: 'P', fileSequence: 4 };
  const safe = session.blockWriter({ ...file, level: 'S', fileSequence: 5 });
  return [
    {
      ...common,
      blockSequence: 0,
      data: hex(data),
      iv: hex(ivs[0]),
      wire: hex(Buffer.concat(writer.write(data))),
    },
    { ...common, blockSequence: 1, data: '', iv: hex(ivs[1]), wire: hex(Buffer.concat(writer.end())) },
    {
      ...common,
      level: 'S',
      fileSequence: 5,
      blockSequence: 0,
      data: hex(data),
      wire: hex(Buffer.concat(safe.write(data))),
    },
  ];
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  console.log(JSON.stringify(makeVectors(), undefined, 2));
