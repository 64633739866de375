// Plays a case against a session and compares the whole conversation.
import type { Effect } from '../../daemon/ftp/effects.js';
import type { Event } from '../../daemon/ftp/events.js';
import { Session } from '../../daemon/ftp/session.js';
import { formatEffects, type Side } from './notation.js';
import type { Block, Case } from './scenario.js';

/** Cuts bytes into the pieces in which they arrive. */
export type Cut = (bytes: Buffer) => readonly Buffer[];

export const whole: Cut = (bytes) => [bytes];

export const bytewise: Cut = (bytes) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));

/** Random cuts from a seed (a linear congruential generator: repeatable and good enough to cut lines with). */
export function randomCuts(seed: number): Cut {
  let state = seed >>> 0;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
  return (bytes) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = 1 + next(Math.min(40, bytes.length - at));
      pieces.push(bytes.subarray(at, at + length));
      at += length;
    }
    return pieces;
  };
}

/** A session that has gone through a case, whatever it said; for tests that start in the middle. */
export function sessionAfter(scenario: Case): Session {
  const session = new Session(scenario.context);
  for (const block of scenario.blocks) feed(session, block, whole);
  return session;
}

/** Undefined when the session did what the case says, else the conversation with the differences marked. */
export function play(scenario: Case, cut: Cut): string | undefined {
  const session = new Session(scenario.context);
  const rows: Row[] = [];
  let same = true;
  for (const block of scenario.blocks) {
    const actual = feed(session, block, cut);
    for (const line of block.source) rows.push({ mark: ' ', line });
    const difference = compare(block.expected, actual);
    same &&= difference.every((row) => row.mark === ' ');
    rows.push(...difference);
  }
  return same ? undefined : print(rows);
}

function feed(session: Session, block: Block, cut: Cut): readonly string[] {
  const effects: Effect[] = [];
  if (block.feed.kind === 'start') effects.push(...session.start());
  else if (block.feed.kind === 'event') effects.push(...session.step(block.feed.event));
  else
    for (const bytes of cut(block.feed.bytes))
      effects.push(...session.step(bytesFrom(block.feed.side, bytes)));
  const statements = block.expected.filter((line) => line.startsWith('= '));
  return [...formatEffects(effects), ...statements.map((line) => stateOf(session, line))];
}

function bytesFrom(side: Side, bytes: Buffer): Event {
  return { kind: side === 'C' ? 'clientBytes' : 'serverBytes', bytes };
}

/** What the session says about the thing that a statement names. */
function stateOf(session: Session, statement: string): string {
  const [, key = ''] = statement.split(' ');
  const view = session.view();
  const values: Readonly<Record<string, string>> = {
    phase: view.phase,
    data: view.data,
    transfers: String(view.transfers),
    name: view.name ?? 'none',
    warning: view.warning ?? 'none',
    identity: view.identity === undefined ? 'none' : 'known',
    wantsClient: session.wantsClient ? 'yes' : 'no',
  };
  const value = values[key];
  if (value === undefined) throw new Error(`nothing is known about: ${statement}`);
  return `= ${key} ${value}`;
}

interface Row {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/** The shortest edit from expected (-) to actual (+), so that one missing line does not mark all that follow. */
function compare(expected: readonly string[], actual: readonly string[]): readonly Row[] {
  const common = commonLengths(expected, actual);
  const rows: Row[] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && expected[i] === actual[j]) {
      rows.push({ mark: ' ', line: expected[i]! });
      i += 1;
      j += 1;
    } else if (j >= actual.length || (i < expected.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      rows.push({ mark: '-', line: expected[i]! });
      i += 1;
    } else {
      rows.push({ mark: '+', line: actual[j]! });
      j += 1;
    }
  }
  return rows;
}

function commonLengths(a: readonly string[], b: readonly string[]): readonly (readonly number[])[] {
  const table = Array.from({ length: a.length + 1 }, () => Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i]![j] =
        a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
    }
  }
  return table;
}

function print(rows: readonly Row[]): string {
  return rows
    .map(
      ({ mark, line }) => `${mark} ${line.length > 160 ? `${line.slice(0, 150)}… (${line.length})` : line}`,
    )
    .join('\n');
}
