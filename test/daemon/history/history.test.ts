import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { History, MAX_EVENTS_PER_OWNER, MAX_OWNERS } from '../../../daemon/history/history.js';
import { HistoryRecorder } from '../../../daemon/history/recorder.js';
import type { HistoryEvent } from '../../../shared/ipc-messages.js';
import type { Owner } from '../../../daemon/trust/pin-record.js';
import { sessionState } from '../ipc/world.js';
import { connection, key, keyQuestion } from '../trust/fixture.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-history-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const user = (uid: number): Owner => ({ kind: 'user', uid });
const event = (fields: Partial<HistoryEvent> = {}): HistoryEvent => ({
  at: 1,
  owner: user(1000),
  kind: 'asked',
  server: 'a.test',
  text: 'A new server.',
  ...fields,
});
const everybody = () => true;

describe('the history', () => {
  it('is there again after a restart, newest first, also when a line is damaged', async () => {
    const first = History.open(folder);
    first.add(event({ at: 1, text: 'one' }));
    first.add(event({ at: 2, text: 'two' }));
    first.close();
    await appendFile(join(folder, 'history', '1000.jsonl'), '{"at":3,\nnonsense\n');
    const second = History.open(folder);
    assert.deepEqual(
      second.list(everybody, 10).map(({ text }) => text),
      ['two', 'one'],
    );
    assert.equal((await stat(join(folder, 'history', '1000.jsonl'))).mode & 0o777, 0o600);
    second.close();
  });

  it('is bounded for each user, in memory and on disk, and one user’s flood leaves another’s alone', async () => {
    const history = History.open(folder);
    history.add(event({ owner: user(1001), text: 'mine' }));
    for (let n = 0; n < 5000; n++) history.add(event({ at: n, text: `${n} ${'x'.repeat(400)}` }));
    assert.equal(
      history.list((owner) => owner.kind === 'user' && owner.uid === 1000, 9999).length,
      MAX_EVENTS_PER_OWNER,
    );
    assert.equal(history.list((owner) => owner.kind === 'user' && owner.uid === 1001, 10).length, 1);
    history.close();
    const names = await readdir(join(folder, 'history'));
    assert.deepEqual(names.sort(), ['1000.jsonl', '1000.jsonl.1', '1001.jsonl']);
    for (const name of names) assert.ok((await stat(join(folder, 'history', name))).size <= 256 * 1024, name);
  });

  it('forgets the quietest of too many users', async () => {
    const history = History.open(folder);
    for (let uid = 0; uid < MAX_OWNERS + 1; uid++) history.add(event({ at: uid + 1, owner: user(uid) }));
    assert.equal(history.list(everybody, 1000).length, MAX_OWNERS);
    assert.equal(history.list((owner) => owner.kind === 'user' && owner.uid === 0, 1).length, 0);
    history.close();
    assert.equal((await readdir(join(folder, 'history'))).length, MAX_OWNERS);
  });

  it('takes the same again within a minute for one event', () => {
    const history = History.open(undefined);
    for (const at of [0, 10_000, 59_999, 60_001]) history.add(event({ at }));
    history.add(event({ at: 20_000, server: 'b.test' }));
    assert.equal(history.list(everybody, 10).length, 3);
  });
});

describe('the recorder', () => {
  it('tells of questions, answers, refusals, cleartext and cut transfers, without control characters', () => {
    const history = History.open(undefined);
    const recorder = new HistoryRecorder(history, () => 5);
    const open = {
      id: 'x',
      owner: user(1000),
      connection: connection({ name: 'evil\r\n\u202etest' }),
      question: keyQuestion(key('a')),
      concern: { kind: 'new', revoked: [] },
      why: '',
      program: 'cu\u001b[2Jrl',
      openedAt: 1,
      waiting: 0,
      deadline: undefined,
      refused: 0,
    } as const;
    recorder.question({ kind: 'opened', question: open });
    recorder.trust({ kind: 'answered', question: open, answer: 'always' });
    recorder.trust({ kind: 'refused', connection: connection(), sentence: 'no' });
    const before = sessionState('s', 1000, { protection: 'none' });
    recorder.session(before, undefined);
    recorder.session({ ...before, protection: 'cleartext' }, before);
    recorder.session({ ...before, cut: 1 }, before);
    recorder.session({ ...before, cut: 1 }, { ...before, cut: 1 });
    const events = history.list(everybody, 20);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['asked', 'answered', 'refused', 'cleartext', 'cut'],
    );
    for (const { server, program } of events) assert.match(`${server}${program ?? ''}`, /^[\x20-\x7e]*$/);
    assert.match(events[1]?.text ?? '', /from now on.*next connection/);
  });
});
