// The order of what refuses FTP and what lets it by, with sessions that are lists. What Windows gets to read is test/wine/windivert-closed.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ClosedHold, lastingFilters } from '../../../../daemon/divert/windows/closed-hold.js';
import { Fault } from '../../../../shared/fault.js';
import { plan, port, server } from '../plan-fixture.js';
import type { FilterSession } from '../../../../daemon/divert/windows/filtering-platform.js';

let folder: string;
let note: string;
let log: string[];
let refusals: string[];
/** Sessions of this kind take no filter. */
let refusing: string | undefined;

function open(lifetime: 'lasting' | 'for-life'): FilterSession {
  const say = (words: string) => log.push(`${lifetime}: ${words}`);
  say('open');
  return {
    change: (act) => {
      act();
    },
    addSublayer: () => undefined,
    removeSublayer: () => undefined,
    add: ({ action, family }) => {
      if (lifetime === refusing) throw new Fault('redirect', 'Windows says no.');
      say(`${action} IPv${family}`);
    },
    remove: () => false,
    close: () => say('close'),
  };
}

function hold(): ClosedHold {
  return new ClosedHold({ note, open, onRefused: ({ userMessage }) => refusals.push(userMessage) });
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-hold-'));
  note = path.join(folder, 'note.txt');
  log = [];
  refusals = [];
  refusing = undefined;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the hold of on_failure = "closed"', () => {
  test('refuses first, lets by then, and the same plan changes nothing', () => {
    const one = hold();
    one.follow(plan());
    one.follow(plan());
    one.letBy();
    one.letBy();
    assert.deepEqual(log, [
      'lasting: open',
      'lasting: block IPv4',
      'lasting: block IPv6',
      'for-life: open',
      'for-life: permit IPv4',
      'for-life: permit IPv6',
    ]);
    assert.ok(existsSync(note) && !one.isLeft);
    assert.ok(hold().isLeft, 'for whoever comes after it');
  });

  test('a Windows that can’t let by is asked to refuse nothing, and that is said once', () => {
    refusing = 'for-life';
    const one = hold();
    one.follow(plan());
    one.letBy();
    assert.equal(log.at(-1), 'lasting: close');
    assert.ok(!existsSync(note));
    one.follow(plan({ ports: [port(2121)] }));
    one.letBy();
    assert.deepEqual(refusals, ['Windows says no.']);
  });

  test('open asks Windows for nothing, unless a daemon before left something', () => {
    hold().follow(plan({ onFailure: 'open' }));
    hold().release();
    assert.deepEqual(log, []);
    writeFileSync(note, '');
    hold().follow(plan({ onFailure: 'open' }));
    assert.deepEqual(log, ['lasting: open', 'lasting: close']);
    assert.ok(!existsSync(note));
  });

  test('data ports are refused of servers with a session, in their family', () => {
    const filters = lastingFilters(plan({ servers: [server('2001:db8::9', 23_300)] }));
    assert.deepEqual(
      filters.map(({ family, tests }) => [family, tests.length]),
      [
        [4, 3],
        [6, 3],
        [6, 5],
      ],
    );
    assert.equal(new Set(filters.map(({ key }) => key)).size, 3);
  });
});
