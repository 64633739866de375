// T10, T54: what has no end. Each flood goes into a session of its own until a bound stops it or 8 MiB have gone in; the memory
// that the session keeps is measured and printed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Event } from '../../daemon/ftp/events.js';
import type { Session } from '../../daemon/ftp/session.js';
import { preludeCase } from '../transcripts/files.js';
import { sessionAfter } from '../transcripts/playback.js';

const FLOOD_BYTES = 8 * 1024 * 1024;
const CHUNK = 65_536;
/** More than all bounds of limits.ts together, and far less than the flood. */
const KEPT_MAX = 8 * 1024 * 1024;

interface Flood {
  readonly name: string;
  readonly prelude: string;
  readonly from: 'client' | 'server';
  /** What the client says before. */
  readonly asked: string;
  /** Said once. */
  readonly opening: string;
  /** Said again and again. */
  readonly again: string;
  /** It is passed on, however long it gets, so nothing stops it. */
  readonly passes: boolean;
}

const FLOODS: readonly Flood[] = [
  flood('a reply line without end', 'secured', '200 ', 'x'),
  flood('an answer to AUTH without end', 'negotiating', '234-', 'x\r\n'),
  flood('an answer to PASV without end', 'secured', '227-\r\n', 'x\r\n', { asked: 'PASV\r\n' }),
  flood('a line without end while the key is judged', 'judging', '', 'x'),
  flood('replies while the key is judged', 'judging', '', '230 in\r\n'),
  flood('replies that nobody asked for', 'greeted', '', '230 in\r\n', { passes: true }),
  flood('a million lines of one reply', 'secured', '214-\r\n', ' help\r\n', { passes: true }),
  flood('replies behind a held 226', 'download', '226 done\r\n', '200 ok\r\n'),
  flood('preliminary replies to a download', 'download', '', '150 go\r\n', { passes: true }),
  flood('preliminary replies to an upload whose client does not come', 'passive', '', '150 go\r\n', {
    asked: 'STOR f\r\n',
  }),
  flood('a command line without end', 'secured', 'CWD ', 'x', { from: 'client' }),
  flood('blank lines', 'secured', '', '\r\n', { from: 'client', passes: true }),
  flood('Telnet commands', 'secured', '', '\xff\xf1', { from: 'client' }),
];

function flood(
  name: string,
  prelude: string,
  opening: string,
  again: string,
  more: { readonly from?: 'client' | 'server'; readonly passes?: boolean; readonly asked?: string } = {},
): Flood {
  const { from = 'server', passes = false, asked = '' } = more;
  return { name, prelude, from, asked, opening, again, passes };
}

describe('what has no end', () => {
  for (const each of FLOODS) {
    it(`${each.name} (T10)`, () => {
      const { fed, kept, ended } = pour(each);
      console.log(
        `limits: ${each.name}: ${mebibytes(fed)} MiB in, ${mebibytes(kept)} MiB kept, ${ended ? 'ended' : 'lives'}`,
      );
      assert.ok(kept < KEPT_MAX, `${kept} bytes were kept`);
      assert.equal(ended, !each.passes);
    });
  }

  it('commands that can’t be sent stop the reading of the client (T54)', () => {
    const session = sessionAfter(preludeCase('negotiating'));
    let fed = 0;
    while (session.wantsClient && fed < FLOOD_BYTES) {
      session.step(bytes('client', 'PWD\r\n'.repeat(1000)));
      fed += 5000;
    }
    assert.ok(fed < 1024 * 1024, `${fed} bytes were taken`);
  });
});

function pour({ prelude, from, asked, opening, again }: Flood): {
  readonly fed: number;
  readonly kept: number;
  readonly ended: boolean;
} {
  const session = sessionAfter(preludeCase(prelude));
  const chunk = again.repeat(Math.ceil(CHUNK / again.length));
  const before = memory();
  session.step(bytes('client', asked));
  session.step(bytes(from, opening));
  let fed = 0;
  while (fed < FLOOD_BYTES && !hasEnded(session)) {
    // A chunk of its own each time, as from a socket.
    const effects = session.step(bytes(from, chunk));
    fed += chunk.length;
    const out = effects.reduce((sum, effect) => sum + ('bytes' in effect ? effect.bytes.length : 0), 0);
    assert.ok(out <= 2 * chunk.length + 1024, 'more comes out than goes in');
  }
  return { fed, kept: Math.max(0, memory() - before), ended: hasEnded(session) };
}

function hasEnded(session: Session): boolean {
  return session.phase === 'closed' || session.phase === 'tunnel';
}

function bytes(from: 'client' | 'server', text: string): Event {
  return { kind: from === 'client' ? 'clientBytes' : 'serverBytes', bytes: Buffer.from(text, 'latin1') };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is in use after the collector has been through. */
function memory(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function mebibytes(count: number): string {
  return (count / 1024 / 1024).toFixed(1);
}
