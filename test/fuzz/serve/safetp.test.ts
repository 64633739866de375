// Dice against the server proxy's session with X-SafeTP1: protected commands, lines in clear, lines changed on the way, garbage, and a
// backend that says anything. FTPSEAL_SEED repeats a run, FTPSEAL_FUZZ_RUNS and FTPSEAL_FUZZ_MINUTES go further.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServeEffect, ServeEvent } from '../../../daemon/serve/session/events.js';
import { SafetpWorld } from '../../daemon/serve/safetp-world.js';
import { Dice, mutate } from '../mutate.js';
import { runs } from './runs.js';

const RUNS = Number(process.env['FTPSEAL_FUZZ_RUNS'] ?? 80);
const STEPS = 40;
const seed = Number(process.env['FTPSEAL_SEED'] ?? Date.now() % 1_000_000);

const commands =
  'USER bo,PASS x,AUTH TLS,AUTH X-SafeTP1,ADAT AAAA,DIGT,PBSZ 4096,PBSZ 0,PROT P,PROT S,PROT C,CCC,REIN,FEAT,SYST,NOOP,HOST a.test,EPSV,EPSV ALL,PORT 192;0;2;100;200;1,RETR a,RETR b,STOR a,LIST,ABOR,STAT,QUIT,MODE B,XEVIL,ENC AAAA,MIC x,,\xff\xf4\xff\xf2ABOR,USER a\r\0DELE b'
    .split(',')
    .map((line) => line.replaceAll(';', ','));
const answers = [
  ...['331 word', '230 in', '530 no', '150 here', '226 done', '426 cut', '229 ok (|||50001|)', '500 what'],
  ...[
    '211-x\r\n AUTH TLS\r\n211 end',
    '200 a\rb',
    '200 \xff\xf1x',
    `211 ${'x'.repeat(5000)}`,
    '',
    'nonsense',
  ],
];
const requirements = ['none', 'secure', 'secure-data'] as const;

/** What the client meant to say, in order: the backend may hear nothing else. */
interface Run {
  readonly world: SafetpWorld;
  readonly dice: Dice;
  readonly require: (typeof requirements)[number];
}

function newRun(dice: Dice): Run {
  const require = dice.pick(requirements);
  const backend = (): string | undefined => (dice.below(3) === 0 ? dice.pick(answers) : undefined);
  const world = new SafetpWorld({ require, backend, holdTurns: dice.below(20) === 0 });
  return { world, dice, require };
}

function eventOf(world: SafetpWorld, dice: Dice): ServeEvent {
  const channel = world.all('relay').at(-1)?.channel ?? world.all('listenForClient').at(-1)?.channel;
  const more: readonly ServeEvent[] =
    channel === undefined
      ? []
      : [
          { kind: 'clientConnected', channel },
          { kind: 'dataSettled', channel, outcome: { kind: 'complete', bytes: 1 } },
          { kind: 'dataSettled', channel, outcome: { kind: 'clientGone', bytes: 1 } },
        ];
  return dice.pick<ServeEvent>([
    ...more,
    { kind: 'serverBytes', bytes: Buffer.from(`${dice.pick(answers)}\r\n`, 'latin1') },
    { kind: 'serverBytes', bytes: Buffer.from('226 done\r\n') },
    { kind: 'turn' },
    { kind: 'timer', timer: 'linger' },
  ]);
}

/** As far as a transfer, with some luck. */
function prepare(world: SafetpWorld, dice: Dice): void {
  for (const line of ['PBSZ 4096', 'PROT P', 'USER bo', 'PASS x', 'EPSV', 'RETR a'])
    if (world.secured !== undefined && !world.closed && dice.below(12) > 0) world.raw(world.seal(line));
}

function act({ world, dice }: Run): void {
  const line = dice.pick(commands);
  const choice = dice.below(world.secured === undefined ? 3 : 80);
  if (world.secured === undefined) {
    if (choice === 0) prepare(world.secure(), dice);
    else if (choice === 1) world.clear(line.replace(/[\r\0].*/, ''));
    else world.event(eventOf(world, dice));
  } else if (choice < 50) world.raw(world.seal(line));
  else if (choice < 78) world.event(eventOf(world, dice));
  else if (choice === 78) world.raw(mutate([world.seal(line)], dice));
  else world.raw(`${line}\r\n`);
}

function checkEffects(effects: readonly ServeEffect[], { require }: Run): void {
  const end = effects.findIndex(({ kind }) => kind === 'close');
  assert.ok(end === -1 || end === effects.length - 1, 'nothing follows close');
  let secured = false;
  effects.forEach((effect, at) => {
    if (effect.kind === 'linesSecured') secured = true;
    if (effect.kind === 'relay' && secured) {
      const before = effects[at - 1];
      const inBlocks = before?.kind === 'useBlocks' && before.channel === effect.channel;
      assert.equal(effect.protection === 'private', inBlocks, 'private data goes in blocks');
      assert.ok(inBlocks || require !== 'secure-data');
    }
    if (effect.kind !== 'sendServer') return;
    const text = Buffer.from(effect.bytes).toString('latin1');
    assert.doesNotMatch(text, /^(?:AUTH|ADAT|PBSZ|PROT|CCC|ENC)\b/i);
    if (secured) assert.doesNotMatch(text, /^(?:DIGT|REIN)\b/i);
    if (!secured && require !== 'none') assert.doesNotMatch(text, /^(?:USER|PASS|RETR|STOR|EPSV)\b/i);
  });
}

/** After 235 everything is protected but the one line that ends it. */
function checkWire({ world }: Run): void {
  const [, inside] = world.wire.toString('latin1').split(/(?:^|\r\n)235 [^\r]*\r\n/);
  if (inside === undefined) return;
  const clear = inside.split('\r\n').filter((line) => line !== '' && !/^632 [A-Za-z0-9+/=]+$/.test(line));
  assert.ok(clear.length <= 1, clear.join());
  assert.match(clear.join(), /^(?:53[357] .*)?$/);
}

test(`sessions of X-SafeTP1 at dice, seed ${seed}`, () => {
  const seen = { sessions: 0, secured: 0, blocks: 0, violations: 0 };
  for (const run of runs(RUNS)) {
    seen.sessions += 1;
    const one = newRun(new Dice(seed * 7919 + run));
    for (let step = 0; step < STEPS && !one.world.closed; step += 1) act(one);
    const { closed, effects } = { closed: one.world.closed, effects: one.world.effects.length };
    one.world.raw('USER bo\r\n');
    if (closed) assert.equal(one.world.effects.length, effects, 'nothing is done after close');
    checkEffects(one.world.effects, one);
    checkWire(one);
    if (one.world.has('linesSecured')) seen.secured += 1;
    if (one.world.has('useBlocks')) seen.blocks += 1;
    if (/\r\n53[357] [^\r]*\r\n$/.test(one.world.wire.toString('latin1'))) seen.violations += 1;
  }
  console.log(JSON.stringify(seen));
  assert.ok(seen.secured > 0 && seen.blocks > 0 && seen.violations > 0, JSON.stringify(seen));
});
