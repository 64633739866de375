import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { dispatcher } from '../../daemon/ipc/dispatch.js';
import { IpcServer } from '../../daemon/ipc/server.js';
import { Fault } from '../../shared/fault.js';
import type { AgentState, DaemonLink } from '../../tray/agent-state.js';
import { connectDaemon } from '../../tray/daemon-link.js';
import { makeWorld, sessionState, type TestWorld } from '../daemon/ipc/world.js';
import { connection, key, keyQuestion, policy } from '../daemon/trust/fixture.js';

let world: TestWorld;
let link: DaemonLink;
beforeEach(async () => {
  world = await makeWorld();
  link = connectDaemon({ runtimeDir: world.folder });
});
afterEach(async () => {
  link.close();
  await world.close();
});

/** The first state for which the condition holds. */
function until(condition: (state: AgentState) => boolean): Promise<AgentState> {
  if (condition(link.state)) return Promise.resolve(link.state);
  return new Promise((resolve) => {
    const stop = link.subscribe((state) => {
      if (!condition(state)) return;
      stop();
      resolve(state);
    });
  });
}

const connected = (state: AgentState) => state.daemon.kind === 'connected';

describe('the link to the daemon', () => {
  it('begins unreachable, then has status, sessions and questions, and follows each change', async () => {
    assert.equal(link.state.daemon.kind, 'unreachable');
    world.sessions.put(0, sessionState('a', 1000));
    const { status, vault } = await until(connected);
    assert.equal(status?.mode, 'redirect');
    assert.deepEqual(vault, { kind: 'off' });
    await until((state) => state.sessions.length === 1);
    world.sessions.put(0, sessionState('b', 1000));
    await until((state) => state.sessions.map((one) => one.state.id).join() === 'a,b');
    world.sessions.put(0, sessionState('a', 1000, { transfers: 3 }));
    await until((state) => state.sessions[0]?.state.transfers === 3);
    world.sessions.end(0, 'a', 'done');
    await until((state) => state.sessions.map((one) => one.state.id).join() === 'b');
    await until((state) => state.status?.sessions.total === 1);
  });

  it('shows a question until it is answered, also through the link itself', async () => {
    await until(connected);
    const decision = world.trust.judge('s', connection(), policy(), keyQuestion(key('a')));
    const { questions } = await until((state) => state.questions.length === 1);
    await link.request('prompts.answer', { id: questions[0]!.id, answer: 'always' });
    assert.deepEqual(await decision, { kind: 'allow' });
    await until((state) => state.questions.length === 0);
  });

  it('keeps the state the same object until something changes', async () => {
    await until((state) => state.status !== undefined && state.daemon.kind === 'connected');
    await link.request('status', {});
    const before = link.state;
    await link.request('status', {});
    assert.equal(link.state, before);
  });

  it('gives the daemon’s own faults', async () => {
    await until(connected);
    await assert.rejects(
      link.request('prompts.answer', { id: 'nope', answer: 'once' }),
      (error) => error instanceof Fault && error.code === 'usage',
    );
  });

  it('without a daemon: no lists, a sentence, requests refused; it is back when the daemon is', async () => {
    world.sessions.put(0, sessionState('a', 1000));
    await until((state) => state.sessions.length === 1);
    await world.server.close();
    const { daemon, sessions, status } = await until((state) => state.daemon.kind === 'unreachable');
    assert.ok(daemon.kind === 'unreachable' && daemon.sentence.includes('sudo ftpseal daemon'));
    assert.deepEqual([sessions, status], [[], undefined]);
    await assert.rejects(
      link.request('status', {}),
      (error) => error instanceof Fault && error.code === 'no-daemon',
    );
    const again = await IpcServer.listen(world.path, dispatcher(world.table));
    await until((state) => connected(state) && state.sessions.length === 1);
    await again.close();
  });

  it('says nothing more once it is closed, and does not come back', async () => {
    await until(connected);
    let changes = 0;
    link.subscribe(() => changes++);
    link.close();
    world.sessions.put(0, sessionState('a', 1000));
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(changes, 0);
    await assert.rejects(link.request('status', {}), Fault);
  });
});
