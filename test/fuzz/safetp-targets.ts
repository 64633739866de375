// X-SafeTP1 under mutated inputs: data blocks, and the messages of the negotiation.
import { readBrandedKey } from '../../daemon/security/safetp/branded-key.js';
import {
  BlockReader,
  BlockWriter,
  type DataStreamOptions,
} from '../../daemon/security/safetp/data-blocks.js';
import { encodeElGamal, generateElGamal, readElGamal } from '../../daemon/security/safetp/elgamal.js';
import {
  formatBody,
  formatFirstAdat,
  formatServerAdat,
  parseBody,
  parseFirstAdat,
  parseServerAdat,
} from '../../daemon/security/safetp/exchange.js';
import type { DataLevel } from '../../daemon/security/safetp/header.js';
import { systemRandom } from '../../daemon/security/safetp/native/random.js';
import { SessionKeys } from '../../daemon/security/safetp/session-keys.js';
import { serverKey } from '../daemon/security/safetp/fixture.js';
import { orFault } from './or-fault.js';

const keys = new SessionKeys(systemRandom(48), systemRandom(20));
const file = systemRandom(9000);
const levels: readonly DataLevel[] = ['P', 'S'];

/** The file as it was sent under each level, and the same under another number. */
const streams = levels.flatMap((level) => [streamOf(level, 9), streamOf(level, 10)]);
const elGamal = encodeElGamal(generateElGamal(2048, systemRandom).publicKey);
const challenge = systemRandom(32);
const body = formatBody({
  serverChallenge: challenge,
  clientChallenge: challenge,
  serverAddress: '192.0.2.1',
  ciphertext: { c1: 5n, c2: 7n },
});
const messages = [
  serverKey.branded.encoded,
  formatFirstAdat({ elGamalKey: elGamal, clientChallenge: challenge }),
  elGamal,
  formatServerAdat({ body, signature: systemRandom(48) }),
  body,
];

export const SAFETP_TARGETS = [
  { name: 'safetp-blocks', seeds: streams, run: readBlocks },
  { name: 'safetp-messages', seeds: messages, run: readMessages },
] as const;

function optionsOf(level: DataLevel, fileSequence: number): DataStreamOptions {
  return { keys, direction: 's2c', level, fileSequence, bufferSize: 4096 };
}

function streamOf(level: DataLevel, fileSequence: number): Buffer {
  const writer = new BlockWriter(optionsOf(level, fileSequence), systemRandom);
  return Buffer.concat([...writer.write(file), ...writer.end()]);
}

/** Whatever comes, what a reader gives is the beginning of the file, and whole only if it is the file. */
function readBlocks(input: Buffer): void {
  for (const level of levels) {
    const whole = blocksIn(level, [input]);
    const bytewise = blocksIn(
      level,
      Array.from(input, (_, at) => input.subarray(at, at + 1)),
    );
    if (whole.how !== bytewise.how || !whole.data.equals(bytewise.data))
      throw new Error('cut anew it is something else');
    if (!file.subarray(0, whole.data.length).equals(whole.data)) throw new Error('data that nobody sent');
    if (whole.how === 'ended' && whole.data.length < file.length) throw new Error('a part as a whole file');
  }
}

interface Read {
  readonly data: Buffer;
  readonly how: 'ended' | 'broken' | 'open';
}

function blocksIn(level: DataLevel, pieces: readonly Buffer[]): Read {
  const reader = new BlockReader(optionsOf(level, 9));
  const data: Buffer[] = [];
  for (const piece of pieces) {
    const read = reader.push(piece);
    data.push(...read.data);
    if (read.kind === 'broken') return { data: Buffer.concat(data), how: 'broken' };
  }
  return { data: Buffer.concat(data), how: reader.ended ? 'ended' : 'open' };
}

function readMessages(input: Buffer): void {
  orFault('protocol', () => readBrandedKey(input));
  orFault('protocol', () => parseFirstAdat(input));
  orFault('protocol', () => readElGamal(input, { minBits: 1024, otherPrimes: 'refuse' }));
  orFault('protocol', () => parseServerAdat(input));
  orFault('protocol', () => parseBody(input));
}
