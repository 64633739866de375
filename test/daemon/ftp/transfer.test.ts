// Every order in which a transfer's replies, its data's end and an ABOR can come. Single orders with their texts are in
// test/transcripts/transfer.txt and out-of-band.txt.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Effect } from '../../../daemon/ftp/effects.js';
import type { ChannelId, ChannelOutcome, Event } from '../../../daemon/ftp/events.js';
import { preludeCase } from '../../transcripts/files.js';
import { sessionAfter } from '../../transcripts/playback.js';

const channel = 1 as ChannelId;
const server = (text: string): Event => ({ kind: 'serverBytes', bytes: Buffer.from(`${text}\r\n`) });
const client = (text: string): Event => ({ kind: 'clientBytes', bytes: Buffer.from(`${text}\r\n`) });
const OUTCOMES: readonly ChannelOutcome[] = [
  { kind: 'complete', bytes: 9 },
  { kind: 'truncated', bytes: 9 },
  { kind: 'clientGone', bytes: 9 },
  { kind: 'serverGone', bytes: 9 },
  { kind: 'legFailed', leg: 'client', reason: 'x' },
];

type Move = 'data' | '150' | 'final' | 'abor';

function orders(moves: readonly Move[]): readonly (readonly Move[])[] {
  if (moves.length === 0) return [[]];
  return moves.flatMap((move) =>
    orders(moves.filter((each) => each !== move)).map((rest) => [move, ...rest]),
  );
}

/** Data moves only after the server has said yes; a preliminary reply never follows the final one. */
function isPossible(order: readonly Move[]): boolean {
  const at = (move: Move): number => order.indexOf(move);
  const accepted = at('150') === -1 ? at('final') : at('150');
  return at('data') > accepted && (at('150') === -1 || at('150') < at('final'));
}

interface Played {
  readonly finals: readonly string[];
  readonly discards: number;
  readonly next: readonly Effect['kind'][];
}

function play(verb: string, order: readonly Move[], final: string, outcome: ChannelOutcome): Played {
  const session = sessionAfter(preludeCase('passive'));
  const events: Readonly<Record<Move, Event>> = {
    '150': server('150 go'),
    final: server(final),
    data: { kind: 'dataSettled', channel, outcome },
    abor: client('ABOR'),
  };
  const effects = [client(`${verb} x`), ...order.map((move) => events[move])].flatMap((event) => [
    ...session.step(event),
  ]);
  if (order.includes('abor')) effects.push(...session.step(server('225 idle')));
  const said = effects
    .filter((effect) => effect.kind === 'sendClient')
    .map((effect) => Buffer.from(effect.bytes).toString())
    .join('');
  return {
    finals: said.split('\r\n').filter((line) => /^[245][0-9]{2} /.test(line) && !line.startsWith('225')),
    discards: effects.filter((effect) => effect.kind === 'discard').length,
    next: session.step(client('PASV')).map((effect) => effect.kind),
  };
}

const allOrders = [
  ...orders(['150', 'final', 'data']),
  ...orders(['final', 'data']),
  ...orders(['150', 'final', 'data', 'abor']),
];
const possible = allOrders.filter(isPossible);

for (const verb of ['RETR', 'STOR']) {
  describe(`${verb}: one final reply, one discard, and the next transfer`, () => {
    for (const final of ['226 done', '426 cut']) {
      for (const outcome of OUTCOMES) {
        it(`${final}, data ${outcome.kind}, in every order`, () => {
          // Refused without a 150, a transfer has no data.
          for (const order of possible.filter((each) => final.startsWith('2') || each.includes('150'))) {
            const { finals, discards, next } = play(verb, order, final, outcome);
            const how = order.join(' ');
            assert.equal(finals.length, 1, `${how}: ${finals.join(' | ')}`);
            const [first = ''] = finals;
            if (final.startsWith('4')) assert.equal(first, final, how);
            else if (outcome.kind === 'complete' && !order.includes('abor')) assert.equal(first, final, how);
            else if (outcome.kind !== 'complete' && outcome.kind !== 'clientGone')
              assert.match(first, /^42[56] ftpseal/, how);
            assert.equal(discards, 1, how);
            assert.deepEqual(next, ['listenForClient', 'sendServer', 'setTimer'], how);
          }
        });
      }
    }
  });
}

it('there are eleven such orders', () => {
  assert.equal(possible.length, 11);
});
