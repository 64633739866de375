// T01, T02: one and several replies injected at each reply point before and during negotiation, split at every byte.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Event } from '../../daemon/ftp/events.js';
import type { SessionContext } from '../../daemon/ftp/session.js';
import { preludeCase } from '../transcripts/files.js';
import { DEFAULT_CONTEXT } from '../transcripts/scenario.js';
import { INJECTED, playInjection, type ReplyPoint } from './injection.js';

const TLS_ONLY: SessionContext = {
  ...DEFAULT_CONTEXT,
  policy: { ...DEFAULT_CONTEXT.policy, tls: { ...DEFAULT_CONTEXT.policy.tls, mechanisms: ['TLS'] } },
};
const connected: Event = { kind: 'serverConnected' };
const client = (line: string): Event => ({ kind: 'clientBytes', bytes: Buffer.from(`${line}\r\n`) });
const server = (line: string): Event => ({ kind: 'serverBytes', bytes: Buffer.from(`${line}\r\n`) });
const greeted = [connected, server('220 genuine')];
const negotiating = [...greeted, client('USER bob')];

function point(name: string, before: readonly Event[], reply: string, agrees = false): ReplyPoint {
  return { name, context: TLS_ONLY, before, reply: `${reply}\r\n`, agrees };
}

/** In clear: whatever is added here comes from anybody. */
const IN_CLEAR: readonly ReplyPoint[] = [
  point('220', [connected], '220 genuine'),
  point('a multi-line 220', [connected], '220-genuine\r\n220 genuine'),
  point('120', [connected], '120 genuine\r\n220 genuine'),
  point('230 instead of 220', [connected], '230 genuine'),
  point('the answer to FEAT', [...greeted, client('FEAT')], '211-genuine\r\n UTF8\r\n211 genuine'),
  point('the answer to HOST', [...greeted, client('HOST ftp.example.com')], '220 genuine'),
  point('234', negotiating, '234 genuine', true),
  point('a multi-line 234', negotiating, '234-genuine\r\n234 genuine', true),
  point('334', negotiating, '334 genuine'),
  point('335', negotiating, '335 genuine'),
  point('235', negotiating, '235 genuine'),
  point('504 LIST', negotiating, '504 genuine LIST=TLS-P,TLS-C'),
  point('502', negotiating, '502 genuine'),
  point('502 to the last AUTH', [...negotiating, server('502 genuine')], '502 genuine'),
];

describe('T01 replies injected in clear', () => {
  let played = 0;
  for (const each of IN_CLEAR) {
    for (const { name, bytes } of INJECTED) {
      it(`${vector(each)} ${name} behind ${each.name}, split at every byte`, () => {
        for (let cut = 1; cut <= each.reply.length + bytes.length; cut += 1) {
          played += 1;
          check(each, bytes, cut);
        }
      });
    }
  }
  it('were played at every cut', () => {
    console.log(
      `injection: ${IN_CLEAR.length} points, ${INJECTED.length} additions, ${played} conversations`,
    );
    assert.ok(played > 5000);
  });
});

/** 334, 335 and 235 belong to mechanisms that go on in ADAT. */
function vector({ name }: ReplyPoint): 'T01' | 'T02' {
  return /^(?:334|335|235)/.test(name) ? 'T02' : 'T01';
}

function check(each: ReplyPoint, bytes: string, cut: number): void {
  const { toClient, protectedToClient, commands, ended } = playInjection(each, bytes, cut);
  const why = `cut at ${cut}, the client saw ${JSON.stringify(toClient)}`;
  assert.ok(!protectedToClient.includes('forged'), `forged under protection: ${why}`);
  const finals = toClient.split('\r\n').filter((line) => /^[2-6][0-9]{2}(?: |$)/.test(line)).length;
  const greetings = 1;
  assert.ok(finals <= commands + greetings + (ended ? 1 : 0), `more answers than questions: ${why}`);
  // What reached the client in clear stands where an answer was due, or is no reply.
  const forged = toClient.split('\r\n').filter((line) => /^[\s\0\xf0-\xff]*[0-9]{3}.*forged/.test(line));
  assert.ok(forged.length <= 0 || isDue(each, forged), `a forged reply lies in wait: ${why}`);
}

/** Behind the 220, a 1yz is part of the greeting, and nothing is asked by then. */
function isDue({ name }: ReplyPoint, forged: readonly string[]): boolean {
  return name === '120' && forged.every((line) => line.startsWith('150'));
}

describe('T01 a genuine reply that holds others, for programs that end a line at a bare CR', () => {
  const held = ['331 forged', '230 forged', '227 forged (198,51,100,66,100,100)', '226 forged'];
  for (const each of IN_CLEAR) {
    it(`${vector(each)} ${each.name}`, () => {
      const reply = each.reply.replace(/\r\n$/, `\r${held.join('\r')}\r\n`);
      for (let cut = 1; cut <= reply.length; cut += 1) {
        const { toClient } = playInjection({ ...each, reply }, '', cut);
        const lines = toClient.split(/[\r\n]+/).filter((line) => /^[0-9]{3}[ -]?forged/.test(line));
        assert.deepEqual(lines, [], `cut at ${cut}: ${JSON.stringify(toClient)}`);
      }
    });
  }
});

describe('T01 more replies than asked for, inside TLS', () => {
  const judged = preludeCase('protected').blocks.flatMap(({ feed }): readonly Event[] => {
    if (feed.kind === 'start') return [];
    if (feed.kind === 'event') return [feed.event];
    return [{ kind: feed.side === 'C' ? 'clientBytes' : 'serverBytes', bytes: feed.bytes }];
  });
  const points = [
    point('PBSZ', judged, '200 genuine', true),
    point('PROT', [...judged, server('200 genuine')], '200 genuine', true),
  ];
  for (const each of points) {
    it(`T01 behind the answer to ${each.name}: secrets wait, nothing throws, the same at every cut`, () => {
      for (const { bytes } of INJECTED) {
        const whole = playInjection(each, bytes, each.reply.length + bytes.length);
        for (let cut = 1; cut < each.reply.length + bytes.length; cut += 1)
          assert.deepEqual(playInjection(each, bytes, cut), whole);
      }
    });
  }
});
