// The vectors three times: the program makes them, the program accepts them from the file alone, and a checker in Python that shares
// no code with it computes every value again.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { readBrandedKey } from '../../daemon/security/safetp/branded-key.js';
import { LineOpener } from '../../daemon/security/safetp/control-lines.js';
import { BlockReader } from '../../daemon/security/safetp/data-blocks.js';
import { checkSignature } from '../../daemon/security/safetp/dsa-key.js';
import {
  parseFirstAdat,
  parseServerAdat,
  parseBody,
  signedExchange,
  checkProof,
  exchangeHash,
} from '../../daemon/security/safetp/exchange.js';
import { unwrapMaster } from '../../daemon/security/safetp/key-transport.js';
import { parseKeyText } from '../../daemon/security/safetp/key-text.js';
import { numberOf } from '../../daemon/security/safetp/numbers.js';
import { SessionKeys } from '../../daemon/security/safetp/session-keys.js';
import { makeVectors } from './make.js';

interface Vectors {
  readonly brandedKey: { readonly brand: string; readonly encoded: string; readonly text: string };
  readonly dsa: { readonly fingerprint: string };
  readonly clientKey: Readonly<Record<'p' | 'g' | 'x' | 'y', string>>;
  readonly exchange: { readonly master: string; readonly hash: string; readonly serverAddress: string };
  readonly negotiation: readonly { readonly from: 'C' | 'S'; readonly line: string }[];
  readonly lines: readonly {
    readonly direction: 'c2s' | 's2c';
    readonly sequence: number;
    readonly line: string;
    readonly wire: string;
  }[];
  readonly blocks: readonly {
    readonly level: 'P' | 'S';
    readonly fileSequence: number;
    readonly data: string;
    readonly wire: string;
  }[];
}

const folder = findFolder();
const text = readFileSync(path.join(folder, 'x-safetp1.json'), 'utf8');
const vectors = JSON.parse(text) as Vectors;
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const number = (hex: string): bigint => numberOf(bytes(hex));
const keys = new SessionKeys(bytes(vectors.exchange.master), bytes(vectors.exchange.hash));

function findFolder(): string {
  for (let at = import.meta.dirname; ; at = path.dirname(at)) {
    const candidate = path.join(at, 'test/vectors/x-safetp1.json');
    if (existsSync(candidate)) return path.dirname(candidate);
    if (path.dirname(at) === at) return path.resolve('test/vectors');
  }
}

/** The ADAT in the nth line of the exchange itself. */
function adat(index: number): Buffer {
  const line = vectors.negotiation.slice(-6)[index]?.line ?? '';
  return Buffer.from(line.replace(/^(?:33[45] ADAT=|ADAT )/, ''), 'base64');
}

describe('the test vectors of X-SafeTP1', () => {
  it('are what the program makes', () => {
    assert.equal(`${JSON.stringify(makeVectors(), undefined, 2)}\n`, text);
  });
  it('hold a key that the program accepts, as bytes and as text', () => {
    const key = readBrandedKey(adat(1));
    assert.equal(key.encoded.toString('hex'), vectors.brandedKey.encoded);
    assert.equal(key.brand, vectors.brandedKey.brand);
    assert.equal(key.key.fingerprint, vectors.dsa.fingerprint);
    assert.deepEqual(parseKeyText(vectors.brandedKey.text).encoded, key.encoded);
  });
  it('hold an exchange that the program follows', () => {
    const first = parseFirstAdat(adat(2));
    const answer = parseServerAdat(adat(3));
    const key = readBrandedKey(adat(1));
    const signed = signedExchange(key, first.elGamalKey, answer.body);
    checkSignature(key.key, signed, answer.signature);
    const body = parseBody(answer.body);
    assert.deepEqual(body.clientChallenge, first.clientChallenge);
    assert.equal(body.serverAddress, vectors.exchange.serverAddress);
    const { p, g, x, y } = vectors.clientKey;
    const pair = { publicKey: { p: number(p), g: number(g), y: number(y) }, x: number(x) };
    assert.equal(unwrapMaster(pair, body.ciphertext).toString('hex'), vectors.exchange.master);
    assert.equal(exchangeHash(signed).toString('hex'), vectors.exchange.hash);
    checkProof(keys, body.serverChallenge, adat(4));
  });
  it('hold five lines each way that the program opens', () => {
    for (const direction of ['c2s', 's2c'] as const) {
      const opener = new LineOpener(direction, keys);
      const rows = vectors.lines.filter((row) => row.direction === direction);
      assert.equal(rows.length, 5);
      for (const row of rows)
        assert.deepEqual(opener.open(Buffer.from(row.wire, 'latin1')), {
          kind: 'line',
          line: bytes(row.line),
          sequence: row.sequence,
        });
    }
  });
  it('hold data blocks that the program reads', () => {
    const [data, end, safe] = vectors.blocks;
    assert.ok(data !== undefined && end !== undefined && safe !== undefined);
    const options = { keys, direction: 's2c', bufferSize: 4096 } as const;
    const read = new BlockReader({ ...options, level: 'P', fileSequence: data.fileSequence });
    assert.deepEqual(read.push(bytes(data.wire + end.wire)), {
      kind: 'data',
      data: [bytes(data.data)],
      ended: true,
    });
    const readSafe = new BlockReader({ ...options, level: 'S', fileSequence: safe.fileSequence });
    assert.deepEqual(readSafe.push(bytes(safe.wire)), {
      kind: 'data',
      data: [bytes(safe.data)],
      ended: false,
    });
  });
  it('agree with a checker that shares no code with the program', (context) => {
    const result = spawnSync(
      'python3',
      [path.join(folder, 'check.py'), path.join(folder, 'x-safetp1.json')],
      {
        encoding: 'utf8',
      },
    );
    if (result.error !== undefined) {
      context.skip('no python3 here');
      return;
    }
    assert.equal(result.status, 0, result.stdout + result.stderr);
    assert.match(result.stdout, /^all values agree$/m);
    assert.ok(result.stdout.split('\n').filter((line) => line.startsWith('ok')).length > 50);
  });
  it('would be found wrong by that checker if a digit of theirs were changed', (context) => {
    const changed = text.replace(
      /"wire": "ENC (.)/,
      (_, first: string) => `"wire": "ENC ${first === 'A' ? 'B' : 'A'}`,
    );
    const result = spawnSync('python3', [path.join(folder, 'check.py'), '/dev/stdin'], {
      encoding: 'utf8',
      input: changed,
    });
    if (result.error !== undefined) {
      context.skip('no python3 here');
      return;
    }
    assert.equal(result.status, 1, result.stdout + result.stderr);
  });
});
