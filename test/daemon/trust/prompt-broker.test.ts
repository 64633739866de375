import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  MAX_QUESTIONS_PER_OWNER,
  PromptBroker,
  type AskRequest,
  type QuestionEvent,
} from '../../../daemon/trust/prompt-broker.js';
import { Fault } from '../../../shared/fault.js';
import { at, connection, key, keyQuestion } from './fixture.js';

const request = (sessionId: string, fields: Partial<AskRequest> = {}): AskRequest => ({
  sessionId,
  owner: { kind: 'user', uid: 1000 },
  connection: connection(),
  question: keyQuestion(key('a')),
  concern: { kind: 'new', revoked: [] },
  why: 'new',
  program: 'tnftp',
  timeoutMs: 60_000,
  ...fields,
});

describe('the prompt broker', () => {
  it('asks once for many sessions, and one answer serves them all (T23)', async () => {
    const broker = new PromptBroker();
    const waits = ['s1', 's2', 's3'].map((id) => broker.ask(request(id)));
    const [question, ...more] = broker.list();
    assert.equal(more.length, 0);
    assert.equal(question?.waiting, 3);
    assert.equal(broker.answer(question.id, 'once'), 3);
    for (const outcome of await Promise.all(waits)) {
      assert.deepEqual(outcome, { kind: 'answered', answer: 'once', late: false });
    }
    assert.deepEqual(broker.list(), []);
  });

  it('asks apart for another key, another server and another owner', () => {
    const broker = new PromptBroker();
    void broker.ask(request('1'));
    void broker.ask(request('2', { question: keyQuestion(key('b')) }));
    void broker.ask(request('3', { connection: connection({ server: at('192.0.2.2') }) }));
    void broker.ask(request('4', { owner: { kind: 'user', uid: 1001 } }));
    void broker.ask(request('5', { owner: { kind: 'machine' } }));
    assert.equal(broker.list().length, 5);
    broker.close();
  });

  it('what nobody waits for is refused at once, asked again after a yes, and left in peace after a no', async () => {
    const clock = { now: 0 };
    const broker = new PromptBroker(() => clock.now);
    const device = (id: string) => broker.ask(request(id, { owner: { kind: 'machine' }, timeoutMs: 0 }));
    assert.equal((await device('1')).kind, 'timedOut');
    const [question] = broker.list();
    assert.ok(question !== undefined);
    broker.answer(question.id, 'refuse');
    for (const id of ['2', '3'])
      assert.deepEqual(await device(id), { kind: 'answered', answer: 'refuse', late: true });
    assert.deepEqual(broker.list(), []);
    clock.now = 10 * 60 * 1000 + 1;
    assert.equal((await device('4')).kind, 'timedOut');
    broker.answer(broker.list()[0]?.id ?? '', 'once');
    assert.deepEqual(await device('5'), { kind: 'answered', answer: 'once', late: true });
    assert.equal((await device('6')).kind, 'timedOut');
    broker.close();
  });

  it('a time-out ends the wait and not the question; the late answer counts for the next try, once (T23)', async () => {
    const broker = new PromptBroker();
    const outcome = await broker.ask(request('1', { timeoutMs: 1 }));
    assert.equal(outcome.kind, 'timedOut');
    const [question] = broker.list();
    assert.equal(question?.waiting, 0);
    assert.equal(broker.answer(question.id, 'refuse'), 0);
    assert.deepEqual(await broker.ask(request('2')), { kind: 'answered', answer: 'refuse', late: true });
    void broker.ask(request('3'));
    assert.equal(broker.list().length, 1);
    broker.close();
  });

  it('a late answer is forgotten when the next try comes much later', async () => {
    let now = 0;
    const broker = new PromptBroker(() => now);
    await broker.ask(request('1', { timeoutMs: 1 }));
    broker.answer(broker.list()[0]!.id, 'once');
    now = 3_600_000;
    void broker.ask(request('2'));
    assert.equal(broker.list().length, 1);
    broker.close();
  });

  it('a session that leaves ends its own wait alone', async () => {
    const broker = new PromptBroker();
    const gone = broker.ask(request('gone'));
    const stays = broker.ask(request('stays'));
    broker.withdraw('gone');
    assert.equal((await gone).kind, 'withdrawn');
    const [question] = broker.list();
    assert.equal(question?.waiting, 1);
    broker.answer(question.id, 'always');
    assert.equal((await stays).kind, 'answered');
  });

  it('bounds the open questions of one owner, drops idle ones first, and leaves other owners alone', async () => {
    const broker = new PromptBroker();
    const server = (n: number) => ({ connection: connection({ server: at(`198.51.100.${n}`) }) });
    await broker.ask(request('idle', { ...server(200), timeoutMs: 1 }));
    for (let n = 1; n <= MAX_QUESTIONS_PER_OWNER; n++) void broker.ask(request(`s${n}`, server(n)));
    assert.equal(broker.list().length, MAX_QUESTIONS_PER_OWNER);
    assert.deepEqual(await broker.ask(request('over', server(201))), { kind: 'tooMany' });
    void broker.ask(request('bob', { ...server(201), owner: { kind: 'user', uid: 1001 } }));
    assert.equal(broker.list().length, MAX_QUESTIONS_PER_OWNER + 1);
    broker.close();
  });

  it('drops a question that nobody waited for in an hour', async () => {
    let now = 0;
    const broker = new PromptBroker(() => now);
    await broker.ask(request('1', { timeoutMs: 1 }));
    now = 3_600_001;
    assert.deepEqual(broker.list(), []);
  });

  it('tells what happens, in order', async () => {
    const broker = new PromptBroker();
    const events: string[] = [];
    const describeEvent = (event: QuestionEvent) =>
      event.kind === 'closed' ? 'closed' : `${event.kind} ${event.question.waiting}`;
    const end = broker.subscribe((event) => events.push(describeEvent(event)));
    const first = broker.ask(request('1'));
    void broker.ask(request('2'));
    broker.withdraw('2');
    broker.answer(broker.list()[0]!.id, 'once');
    await first;
    end();
    void broker.ask(request('3'));
    assert.deepEqual(events, ['opened 1', 'updated 2', 'updated 1', 'closed']);
    broker.close();
  });

  it('knows no question that is not open', () => {
    assert.throws(() => new PromptBroker().answer('nix', 'always'), Fault);
  });
});

describe('a standing question', () => {
  const standing = (letter = 'b', address = '192.0.2.1') =>
    request('', {
      connection: connection({ server: at(address) }),
      question: keyQuestion(key(letter)),
      concern: { kind: 'changed', earlier: [] },
    });

  it('is opened once, counts its refusals, and keeps nobody waiting', () => {
    const broker = new PromptBroker();
    const events: string[] = [];
    broker.subscribe((event) => events.push(event.kind));
    for (let n = 0; n < 5; n++) broker.post(standing());
    const [question, ...more] = broker.list();
    assert.deepEqual(more, []);
    assert.deepEqual([question?.waiting, question?.deadline, question?.refused], [0, undefined, 5]);
    assert.deepEqual(events, ['opened', 'updated', 'updated', 'updated', 'updated']);
  });

  it('does not join an ordinary question about the same key, and its answer is no answer to that', async () => {
    const broker = new PromptBroker();
    const waits = broker.ask(request('s', { question: keyQuestion(key('b')) }));
    broker.post(standing());
    assert.equal(broker.list().length, 2);
    const posted = broker.list().find(({ concern }) => concern.kind === 'changed');
    broker.answer(posted?.id ?? '', 'always');
    assert.equal(broker.list()[0]?.waiting, 1);
    broker.close();
    assert.equal((await waits).kind, 'withdrawn');
  });

  it('a thousand of them are bounded, and give way to those that somebody waits for', () => {
    const broker = new PromptBroker();
    for (let n = 0; n < 1000; n++) broker.post(standing('b', `10.0.${n >> 8}.${n & 255}`));
    assert.equal(broker.list().length, MAX_QUESTIONS_PER_OWNER);
    void broker.ask(request('s'));
    assert.equal(broker.list().filter(({ waiting }) => waiting === 1).length, 1);
    assert.equal(broker.list().length, MAX_QUESTIONS_PER_OWNER);
    broker.close();
  });

  it('comes again ten minutes after a no', () => {
    let now = 0;
    const broker = new PromptBroker(() => now);
    broker.post(standing());
    broker.answer(broker.list()[0]?.id ?? '', 'refuse');
    broker.post(standing());
    assert.equal(broker.list().length, 0);
    now = 10 * 60_000 + 1;
    broker.post(standing());
    assert.equal(broker.list().length, 1);
  });
});

describe('a person who looks at a question', () => {
  it('gets those who wait more time, up to a bound, and never less', async () => {
    let now = 0;
    const broker = new PromptBroker(() => now);
    void broker.ask(request('s', { timeoutMs: 45_000 }));
    const [question] = broker.list();
    assert.equal(question?.deadline, 45_000);
    now = 1000;
    assert.equal(broker.hold(question.id).deadline, 301_000);
    now = 299_000;
    assert.equal(broker.hold(question.id).deadline, 599_000);
    now = 500_000;
    assert.equal(broker.hold(question.id).deadline, 600_000);
    assert.throws(() => broker.hold('nix'), Fault);
    broker.close();
    const patient = new PromptBroker(() => now);
    void patient.ask(request('s', { timeoutMs: 900_000 }));
    const [long] = patient.list();
    assert.equal(patient.hold(long?.id ?? '').deadline, 1_400_000);
    patient.close();
    await Promise.resolve();
  });
});
