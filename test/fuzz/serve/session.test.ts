// Dice against the server proxy's session: it never throws, says nothing after `close`, passes no login on before it is encrypted where
// that is required, and begins no transfer in clear where that is refused. FTPSEAL_SEED repeats a run,
// FTPSEAL_FUZZ_MINUTES goes further.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelId } from '../../../daemon/ftp/events.js';
import type { ServeEffect, ServeEvent } from '../../../daemon/serve/session/events.js';
import type { ServePolicy } from '../../../daemon/serve/session/policy.js';
import { ServeSession } from '../../../daemon/serve/session/serve-session.js';
import { endpoint } from '../../transcripts/notation.js';
import { runs } from './runs.js';

const RUNS = 4000;
const STEPS = 60;
const seed = Number(process.env['FTPSEAL_SEED'] ?? Date.now() % 1_000_000);

const commands =
  'USER bo|PASS x|ACCT y|AUTH TLS|AUTH SSL|AUTH X|ADAT z|PBSZ 0|PBSZ x|PROT P|PROT C|PROT S|CCC|REIN|FEAT|SYST|NOOP|OPTS UTF8 ON|HOST a.test|PASV|EPSV|EPSV ALL|LPSV|PORT 192,0,2,100,200,1|PORT 10,0,0,1,200,1|EPRT |1|192.0.2.100|50000|RETR a|STOR a|APPE a|LIST|NLST|MLSD|ABOR|STAT|QUIT|MODE B|MODE S|SITE x|XEVIL|CPSV|SSCN ON|ENC q|GET / HTTP/1.0| |'
    .split(/\|(?=[A-Z ])/)
    .map((line) => line.replace(/\|$/, ''));
const replies = [
  '220 hi',
  '331 word',
  '230 in',
  '530 no',
  '150 here',
  '125 here',
  '226 done',
  '426 cut',
  '250 ok',
  '200 ok',
  '211-x',
  ' AUTH TLS',
  '211 end',
  '227 ok (127,0,0,1,200,1)',
  '229 ok (|||50001|)',
  '500 what',
  '421 bye',
  'nonsense',
];

/** A linear congruential generator: repeatable and good enough for dice. */
function dice(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

function line(text: string, next: (below: number) => number): Buffer {
  const ending = ['\r\n', '\r\n', '\r\n', '\n', '', '\rUSER bo\r\n'][next(40) < 34 ? 0 : next(6)] ?? '';
  return Buffer.from(`${text}${ending}`, 'latin1');
}

function eventOf(next: (below: number) => number): ServeEvent {
  const channel = (1 + next(3)) as ChannelId;
  const simple: readonly ServeEvent[] = [
    { kind: 'serverConnected' },
    { kind: 'clientSecured' },
    { kind: 'clientListening', channel, endpoint: endpoint('192.0.2.1:40001') },
    { kind: 'serverReached', channel },
    { kind: 'clientConnected', channel },
    { kind: 'dataSettled', channel, outcome: { kind: 'complete', bytes: 1 } },
    { kind: 'dataSettled', channel, outcome: { kind: 'clientGone', bytes: 1 } },
    { kind: 'dataSettled', channel, outcome: { kind: 'legFailed', leg: 'client', reason: 'x' } },
    { kind: 'channelFailed', channel, leg: 'server', reason: 'x' },
    { kind: 'serverListening', channel, endpoint: endpoint('127.0.0.1:50002') },
  ];
  const rare: readonly ServeEvent[] = [
    { kind: 'clientClosed' },
    { kind: 'serverClosed', how: 'ended' },
    { kind: 'serverFailed', reason: 'x' },
    { kind: 'timer', timer: 'login' },
    { kind: 'timer', timer: 'held' },
    { kind: 'timer', timer: 'linger' },
    { kind: 'timer', timer: 'handshake' },
    { kind: 'timer', timer: 'negotiation' },
  ];
  const kind = next(20);
  if (kind < 8) return { kind: 'clientBytes', bytes: line(commands[next(commands.length)] ?? '', next) };
  if (kind < 14) return { kind: 'serverBytes', bytes: line(replies[next(replies.length)] ?? '', next) };
  const pool = kind === 19 && next(6) === 0 ? rare : simple;
  return pool[next(pool.length)] ?? { kind: 'clientSecured' };
}

interface Seen {
  asked: boolean;
  secured: boolean;
  closed: boolean;
}

function check(effects: readonly ServeEffect[], policy: ServePolicy, seen: Seen): void {
  for (const effect of effects) {
    assert.equal(seen.closed, false, 'nothing follows close');
    if (effect.kind === 'close') seen.closed = true;
    if (effect.kind === 'secureClient') seen.asked = true;
    if (effect.kind === 'relay' && policy.require === 'secure-data')
      assert.equal(effect.protection, 'private');
    if (effect.kind === 'sendServer' && policy.require !== 'none' && !seen.secured)
      assert.doesNotMatch(String(effect.bytes), /(?:^|\r)(?:USER|PASS|ACCT|RETR|STOR|PASV|EPSV)\b/im);
    if (effect.kind === 'sendServer')
      assert.doesNotMatch(String(effect.bytes), /^(?:AUTH|PBSZ|PROT|CCC|ENC|ADAT|CPSV|SSCN)\b/im);
  }
}

test(`sessions at dice, seed ${seed}`, () => {
  let secured = 0;
  let transfers = 0;
  let sessions = 0;
  for (const run of runs(RUNS)) {
    sessions += 1;
    const next = dice(seed * 7919 + run);
    const policy: ServePolicy = {
      require: (['none', 'secure', 'secure-data'] as const)[next(3)] ?? 'secure',
      words: ['TLS', 'SSL'],
      mechanisms: ['TLS', 'SSL'],
      dataDefault: next(2) === 0 ? 'clear' : 'private',
    };
    const addresses = { backend: endpoint('127.0.0.1:2121'), client: endpoint('192.0.2.100:40000') };
    const more = {
      implicit: next(4) === 0,
      safetp: undefined,
      noEpsv: next(2) === 0,
      passiveProven: next(2) === 0,
    };
    const session = new ServeSession({ policy, ...addresses, ...more });
    const seen: Seen = { asked: false, secured: false, closed: false };
    check(session.start(), policy, seen);
    check(session.step({ kind: 'serverConnected' }), policy, seen);
    if (next(3) > 0)
      check(session.step({ kind: 'serverBytes', bytes: Buffer.from('220 hi\r\n') }), policy, seen);
    for (let step = 0; step < STEPS; step += 1) {
      const event = eventOf(next);
      if (event.kind === 'clientSecured' && seen.asked) seen.secured = true;
      check(session.step(event), policy, seen);
    }
    const view = session.view();
    if (view.secured !== undefined) secured += 1;
    transfers += view.transfers;
  }
  console.log(`${sessions} sessions, ${secured} asked for protection, ${transfers} transfers`);
  assert.ok(secured > sessions / 20);
});
