// Every state that a session can reach in a number of moves, and in each of them its promises. FTPSEAL_MODEL_STATES=n and
// FTPSEAL_MODEL_DEPTH=n go further; FTPSEAL_FUZZ_MINUTES=n bounds that in time.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionContext } from '../../daemon/ftp/session.js';
import { preludeCase } from '../transcripts/files.js';
import { DEFAULT_CONTEXT } from '../transcripts/scenario.js';
import { hostileMoves } from './hostile-world.js';
import { loadOpenedCore } from './opened.js';
import { safetpRoots } from './safetp-roots.js';
import { leadingMove, willingMoves } from './willing-world.js';
import { eventsOf, walk, type WalkReport } from './walk.js';
import { step, type Root, type Rules, type World } from './world.js';

const statesMax = Number(process.env['FTPSEAL_MODEL_STATES'] ?? 12_000);
const depth = Number(process.env['FTPSEAL_MODEL_DEPTH'] ?? 40);
const minutes = process.env['FTPSEAL_FUZZ_MINUTES'];
const started = Date.now();

/** The walks share the time of a deep run. */
function until(share: number): number {
  return minutes === undefined ? Number.POSITIVE_INFINITY : started + Number(minutes) * 60_000 * share;
}

const create = await loadOpenedCore();
const hostile: Rules = { honest: false, create, moves: hostileMoves };
const willing: Rules = { honest: true, create, moves: willingMoves };

const { policy } = DEFAULT_CONTEXT;
const CONTEXTS: Readonly<Record<string, SessionContext>> = {
  usual: DEFAULT_CONTEXT,
  'known to be secure': { ...DEFAULT_CONTEXT, knownSecure: true },
  'explicit proxy': { ...DEFAULT_CONTEXT, greeting: 'swallow', dataPath: 'proxied' },
  'data auto': { ...DEFAULT_CONTEXT, policy: { ...policy, data: { ...policy.data, protection: 'auto' } } },
  'data clear': { ...DEFAULT_CONTEXT, policy: { ...policy, data: { ...policy.data, protection: 'clear' } } },
  implicit: { ...DEFAULT_CONTEXT, policy: { ...policy, mode: 'implicit' } },
  plain: { ...DEFAULT_CONTEXT, policy: { ...policy, mode: 'plain' } },
  'passive unproven': { ...DEFAULT_CONTEXT, passiveProven: false },
};
const PRELUDES = [
  'greeted',
  'negotiating',
  'judging',
  'secured',
  'cleartext',
  'passive',
  'download',
  'upload',
];
/** Where the other contexts begin beside the very beginning, as far as their conversation is the same until then. */
const LATER = ['protected', 'secured', 'cleartext'];

function roots(): readonly Root[] {
  const at = (context: SessionContext, name: string): Root => ({
    name,
    context,
    events: eventsOf(preludeCase(name).blocks),
  });
  return Object.entries(CONTEXTS).flatMap(([name, context]) => [
    { name, context, events: [] },
    ...(context === DEFAULT_CONTEXT ? PRELUDES : []).map((prelude) => at(context, prelude)),
    ...(context === DEFAULT_CONTEXT || context.policy.mode !== 'explicit' ? [] : LATER).map((prelude) =>
      at(context, prelude),
    ),
  ]);
}

describe('the states of a session', () => {
  it('keep every promise, whatever anybody does', () => {
    const report = walk({ rules: hostile, roots: roots(), depth, statesMax, until: until(0.35) });
    print('hostile', report);
  });

  it('keep every promise with X-SafeTP1 (T02), whatever anybody does', () => {
    const report = walk({ rules: hostile, roots: safetpRoots(), depth, statesMax, until: until(0.55) });
    print('hostile, X-SafeTP1', report);
  });

  it('lead to an answer for every command, when everybody keeps the rules', () => {
    const report = walk({
      rules: willing,
      roots: roots(),
      depth,
      statesMax,
      until: until(0.8),
      check: comesToRest,
    });
    print('willing', report);
  });

  it('lead to an answer for every command, with X-SafeTP1 too', () => {
    const report = walk({
      rules: willing,
      roots: safetpRoots(),
      depth,
      statesMax,
      until: until(1),
      check: comesToRest,
    });
    print('willing, X-SafeTP1', report);
  });
});

/** From here on everybody does what leads on: then every command has its answer and nothing is left over. */
function comesToRest(world: World): void {
  const { session, monitor } = world;
  for (let n = 0; n < 200 && !monitor.over; n += 1) {
    const next = leadingMove(world);
    if (next === undefined) break;
    step(world, next.event);
  }
  if (monitor.over || session.phase === 'passthrough') return;
  assert.equal(session.phase === 'plain' || session.atRest, true, `stuck in ${session.phase}`);
  assert.equal(monitor.awaited, 0, 'commands without an answer');
}

function print(name: string, { states, transitions, depth: reached, phases }: WalkReport): void {
  console.log(
    `model: ${name}: ${states} states, ${transitions} transitions, all of them up to depth ${reached}`,
  );
  console.log(`model: ${name}: ${JSON.stringify(phases)}`);
  assert.ok(states > 1000, 'the walk did not get anywhere');
}
