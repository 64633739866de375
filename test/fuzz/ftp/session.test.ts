// Sessions under dice. FTPSEAL_FUZZ_RUNS=n or FTPSEAL_FUZZ_MINUTES=n runs deep, FTPSEAL_SEED=n repeats.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SessionContext } from '../../../daemon/ftp/session.js';
import { Session } from '../../../daemon/ftp/session.js';
import type { Event } from '../../../daemon/ftp/events.js';
import { endpoint, formatEffects } from '../../transcripts/notation.js';
import { randomCuts } from '../../transcripts/playback.js';
import { DEFAULT_CONTEXT } from '../../transcripts/scenario.js';
import { Simulation, type Throw } from './simulation.js';

const minutes = process.env['FTPSEAL_FUZZ_MINUTES'];
const numRuns =
  minutes === undefined ? Number(process.env['FTPSEAL_FUZZ_RUNS'] ?? 1500) : Number.MAX_SAFE_INTEGER;
const seed = Number(process.env['FTPSEAL_SEED'] ?? Date.now() % 1_000_000_000);
/** The four tests share the time of a deep run. */
const limit = minutes === undefined ? {} : { interruptAfterTimeLimit: (Number(minutes) * 60_000) / 4 };
const options = { numRuns, seed, ...limit };

console.log(`fuzz: ${minutes === undefined ? `${numRuns} runs` : `${minutes} minutes`}, seed ${seed}`);

const dice: fc.Arbitrary<Throw> = fc.record({
  what: fc.nat(99),
  which: fc.nat(255),
  how: fc.nat(255),
});

const contexts: fc.Arbitrary<SessionContext> = fc
  .record({
    mode: fc.oneof(
      { weight: 20, arbitrary: fc.constant('explicit' as const) },
      { weight: 2, arbitrary: fc.constant('implicit' as const) },
      { weight: 1, arbitrary: fc.constantFrom('plain' as const, 'tunnel' as const) },
    ),
    protection: fc.constantFrom('private' as const, 'private' as const, 'auto' as const, 'clear' as const),
    v6: fc.nat(9).map((n) => n === 0),
    knownSecure: fc.nat(5).map((n) => n === 0),
    explicitProxy: fc.nat(5).map((n) => n === 0),
    mechanisms: fc.constantFrom(['TLS'], ['TLS', 'X-SafeTP1'], ['X-SafeTP1']),
    noEpsv: fc.boolean(),
    passiveProven: fc.boolean(),
  })
  .map((drawn) => ({
    ...DEFAULT_CONTEXT,
    policy: {
      ...DEFAULT_CONTEXT.policy,
      mode: drawn.mode,
      tls: { ...DEFAULT_CONTEXT.policy.tls, mechanisms: drawn.mechanisms },
      data: { protection: drawn.protection, allowForeignAddress: false },
    },
    server: endpoint(drawn.v6 ? '[2001:db8::1]:21' : '192.0.2.1:21'),
    client: endpoint(drawn.v6 ? '[2001:db8::100]:40000' : '192.0.2.100:40000'),
    knownSecure: drawn.knownSecure,
    greeting: drawn.explicitProxy ? 'swallow' : 'forward',
    dataPath: drawn.explicitProxy ? 'proxied' : 'direct',
    noEpsv: drawn.noEpsv,
    passiveProven: drawn.passiveProven,
  }));

/** A beginning that most often leads on, and then anything. */
const throws: fc.Arbitrary<readonly Throw[]> = fc
  .tuple(fc.array(leading(), { maxLength: 14 }), fc.array(dice, { minLength: 10, maxLength: 160 }))
  .map(([first, then]) => [...first, ...then]);

function leading(): fc.Arbitrary<Throw> {
  return fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({ what: fc.nat(70), which: fc.nat(1), how: fc.constantFrom(1, 2, 3) }),
    },
    { weight: 1, arbitrary: dice },
  );
}

describe('a session under dice', () => {
  it('never throws, stays bounded, and lets no credential out before its time', () => {
    const counts = new Map<string, number>();
    const count = (key: string): void => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    };
    let runs = 0;
    fc.assert(
      fc.property(contexts, throws, (context, drawn) => {
        runs += 1;
        const simulation = new Simulation(context);
        simulation.run(drawn);
        for (const phase of simulation.reached.phases) count(phase);
        if (simulation.reached.transfers > 0) count('transfer completed');
      }),
      options,
    );
    console.log(`fuzz: ${runs} sessions reached ${JSON.stringify(Object.fromEntries([...counts].sort()))}`);
    for (const key of ['secured', 'cleartext', 'passthrough', 'tunnel', 'reconnecting', 'transfer completed'])
      assert.ok((counts.get(key) ?? 0) > 0, `no run reached ${key}: the dice are wrong`);
  });

  it('does the same however the bytes are cut', () => {
    fc.assert(
      fc.property(contexts, throws, fc.nat(), (context, drawn, cutSeed) => {
        const simulation = new Simulation(context);
        simulation.run(drawn);
        const whole = new Session(context);
        const cut = new Session(context);
        const cuts = randomCuts(cutSeed);
        whole.start();
        cut.start();
        for (const event of simulation.events) {
          const expected = formatEffects(whole.step(event));
          // A cut between an agreement and what comes behind it shows the agreement first.
          if (expected.some((line) => line.includes('only encryption may begin') || line === '> tunnel'))
            return;
          const wasPassing = ['passthrough', 'clientAuth'].some((phase) => simulation.phases.has(phase));
          const actual = formatEffects(pieces(event, cuts).flatMap((piece) => cut.step(piece)));
          assert.deepEqual(wasPassing ? bySide(actual) : actual, wasPassing ? bySide(expected) : expected);
          assert.equal(cut.phase, whole.phase);
        }
      }),
      { ...options, numRuns: Math.ceil(numRuns / 3) },
    );
  });

  it('answers every command once when everybody is willing', () => {
    let finished = 0;
    let runs = 0;
    fc.assert(
      fc.property(contexts, throws, (context, drawn) => {
        runs += 1;
        const simulation = new Simulation(context);
        const { commands, replies } = simulation.runWillingly(drawn);
        if (simulation.ended !== undefined) return;
        finished += 1;
        const greetings = context.greeting === 'forward' ? 1 : 0;
        assert.equal(replies - greetings, commands);
      }),
      options,
    );
    console.log(`fuzz: ${finished} of ${runs} willing runs were answered to the end`);
    assert.ok(finished > runs / 4, 'most runs ended early: the dice are wrong');
  });

  it('survives pure noise', () => {
    const noise = fc.uint8Array({ maxLength: 300 });
    const event: fc.Arbitrary<Event> = fc.oneof(
      noise.map((bytes): Event => ({ kind: 'clientBytes', bytes })),
      noise.map((bytes): Event => ({ kind: 'serverBytes', bytes })),
      fc.constantFrom<Event>({ kind: 'serverConnected' }, { kind: 'decided', decision: { kind: 'allow' } }),
    );
    fc.assert(
      fc.property(contexts, fc.array(event, { maxLength: 60 }), (context, events) => {
        const simulation = new Simulation(context);
        for (const each of events) simulation.step(each);
      }),
      options,
    );
  });
});

/** Relayed bytes are no conversation: only each side's own order counts. */
function bySide(lines: readonly string[]): readonly string[] {
  const side = (letter: string): string =>
    lines
      .filter((line) => line.startsWith(`> ${letter}`))
      .map((line) => (line[3] === ':' ? `${line.slice(5)}\\r\\n` : line.slice(5)))
      .join('');
  return [side('C'), side('S'), ...lines.filter((line) => !/^> [CS][:.]/.test(line))];
}

function pieces(event: Event, cuts: (bytes: Buffer) => readonly Buffer[]): readonly Event[] {
  if (event.kind !== 'clientBytes' && event.kind !== 'serverBytes') return [event];
  return cuts(Buffer.from(event.bytes)).map((bytes) => ({ kind: event.kind, bytes }));
}
