import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { afterEach, describe, it } from 'node:test';
import { parseConfig } from '../../../daemon/config-load.js';
import type { SessionState, WorkerAnswer } from '../../../daemon/pool/messages.js';
import type { WorkerData } from '../../../daemon/pool/worker-data.js';
import { WorkerPool, type PoolListener, type PoolOptions } from '../../../daemon/pool/worker-pool.js';
import { parsePort, type PortRange } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';

const entry = new URL('./test-worker.js', import.meta.url);
const config = parseConfig('', 'test');
const range = (first: number): PortRange => ({ first: parsePort(first)!, last: parsePort(first + 15)! });
const data = (index: number, first: number): WorkerData => ({
  index,
  workers: 2,
  mode: 'redirect',
  config,
  listen: { kind: 'loopback', range: range(first) },
  virtual: range(21210),
  sourcePorts: range(61000),
});

let pool: WorkerPool | undefined;
afterEach(() => pool?.stop(0));

async function start(
  firsts: readonly number[] = [31100, 31116],
  request: PoolListener['request'] = () => Promise.resolve({ kind: 'reserved' }),
  options: Pick<PoolOptions, 'beatMs'> = {},
) {
  const events = new EventEmitter();
  const tell =
    (name: string) =>
    (...values: unknown[]) => {
      events.emit(name, ...values);
    };
  const listener: PoolListener = {
    request,
    answered: tell('answered'),
    began: tell('began'),
    session: tell('session'),
    ended: tell('ended'),
    log: tell('log'),
    died: tell('died'),
    replaced: tell('replaced'),
  };
  const workers = firsts.map((first, index) => data(index, first));
  pool = new WorkerPool({ entry, workers, listener, backoffMs: { first: 1, most: 5 }, ...options });
  return { pool, events, ports: await pool.start() };
}

const act = (on: WorkerPool, index: number, id: string) => {
  on.send(index, { kind: 'closeSession', id });
};

describe('the worker pool', () => {
  it('starts every worker and tells their ports in order', async () => {
    const { pool: made, ports } = await start();
    assert.deepEqual(
      ports.map((one) => one.control[0]?.port),
      [31100, 31116],
    );
    assert.deepEqual(made.health(), [
      { index: 0, alive: true, restarts: 0 },
      { index: 1, alive: true, restarts: 0 },
    ]);
  });

  it('bounds the memory that a burst of sessions leaves behind', async () => {
    const { pool: made, events } = await start([31100]);
    act(made, 0, 'limits');
    const said: unknown[] = await once(events, 'log');
    assert.deepEqual(said[1], { kind: 'log', level: 'info', message: 'limits', fields: { young: 6 } });
  });

  it('that can’t start one of its workers starts none', async () => {
    await assert.rejects(
      start([31100, 5]),
      (error) => error instanceof Fault && error.message.includes('cannot listen'),
    );
  });

  it('replaces a worker that died, with the same place and ports; the other lives on', async () => {
    const { pool: made, events } = await start();
    const died = once(events, 'died');
    const replaced = once(events, 'replaced');
    act(made, 1, 'die');
    const [index, reason] = (await died) as [number, string];
    assert.equal(index, 1);
    assert.match(reason, /told to die/);
    assert.equal(made.ports(), undefined);
    const [again, ports] = (await replaced) as [number, { control: { port: number }[] }];
    assert.equal(again, 1);
    assert.equal(ports.control[0]?.port, 31116);
    assert.equal(made.ports()?.length, 2);
    assert.deepEqual(made.health()[1], { index: 1, alive: true, restarts: 1 });
    const ended = once(events, 'ended');
    act(made, 1, 'session');
    await ended;
  });

  it('ends and replaces a worker that breaks the contract', async () => {
    const { pool: made, events } = await start();
    const replaced = once(events, 'replaced');
    const logged = once(events, 'log');
    act(made, 0, 'garbage');
    const [, entryOfLog] = (await logged) as [number, { message: string }];
    assert.match(entryOfLog.message, /broke the protocol/);
    await replaced;
  });

  it('ends and replaces a worker that does not answer any more, and no other', async () => {
    const { pool: made, events } = await start([31100, 31116], undefined, { beatMs: 100 });
    const replaced = once(events, 'replaced');
    const logged = once(events, 'log');
    act(made, 1, 'hang');
    const [index, { message }] = (await logged) as [number, { message: string }];
    assert.deepEqual([index, message], [1, 'a worker does not answer and is ended']);
    await replaced;
    assert.deepEqual(
      made.health().map(({ alive, restarts }) => [alive, restarts]),
      [
        [true, 0],
        [true, 1],
      ],
    );
  });

  it('passes on what workers report', async () => {
    const { pool: made, events } = await start();
    const all = Promise.all(['log', 'ended'].map((name) => once(events, name)));
    act(made, 0, 'session');
    const [log, ended] = await all;
    assert.equal(log?.[0], 0);
    const [index, state, reason] = ended as [number, SessionState, string];
    assert.deepEqual([index, state.id, reason], [0, 's', 'done']);
  });

  it('answers each request with its id, and a failure with its sentence', async () => {
    const answers: WorkerAnswer[] = [];
    for (const failing of [false, true]) {
      const { pool: made, events } = await start([31100], () =>
        failing ? Promise.reject(new Fault('redirect', 'no way')) : Promise.resolve({ kind: 'reserved' }),
      );
      const logged = once(events, 'log');
      act(made, 0, 'reserve');
      const [, told] = (await logged) as [number, { message: string }];
      answers.push(JSON.parse(told.message) as WorkerAnswer);
      await made.stop(0);
    }
    assert.deepEqual(answers, [{ kind: 'reserved' }, { kind: 'failed', sentence: 'no way' }]);
  });

  it('says nothing of an answer to a worker that died meanwhile', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const { pool: made, events } = await start([31100], async () => {
      await answered;
      return { kind: 'reserved' };
    });
    const told: unknown[] = [];
    events.on('answered', (...values: unknown[]) => told.push(values));
    const replaced = once(events, 'replaced');
    act(made, 0, 'reserve');
    act(made, 0, 'die');
    await replaced;
    answer();
    const own = once(events, 'answered');
    act(made, 0, 'reserve');
    await own;
    assert.equal(told.length, 1);
  });

  it('stops workers that hang', async () => {
    const { pool: made } = await start();
    act(made, 0, 'hang');
    await made.stop(0);
    assert.equal(made.ports(), undefined);
  });
});
