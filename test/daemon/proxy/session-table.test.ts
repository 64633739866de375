import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SessionTable } from '../../../daemon/proxy/session-table.js';
import { sessionState } from '../ipc/world.js';

describe('the table of sessions', () => {
  it('holds each session’s last state, by worker', () => {
    const table = new SessionTable();
    table.put(0, sessionState('a', 1, { phase: 'greeting' }));
    table.put(0, sessionState('a', 1));
    table.put(1, sessionState('b', 1));
    assert.deepEqual(
      table.list().map((state) => `${state.id} ${state.phase}`),
      ['a secured', 'b secured'],
    );
    assert.equal(table.countOf(0), 1);
    assert.equal(table.addresses().size, 1);
  });

  it('lets no worker touch another’s session', () => {
    const table = new SessionTable();
    table.put(0, sessionState('a', 1));
    assert.equal(table.put(1, sessionState('a', 2)), false);
    assert.equal(table.end(1, 'a', 'x'), undefined);
    assert.equal(table.find('a')?.state.connection.uid, 1);
  });

  it('tells when it is empty, or that it took too long', async () => {
    const table = new SessionTable();
    await table.empty(60_000);
    table.put(0, sessionState('a', 1));
    await table.empty(1);
    assert.equal(table.list().length, 1);
    const waited = table.empty(60_000);
    table.end(0, 'a', 'left');
    await waited;
  });

  it('ends all sessions of a worker that died, and tells of each', () => {
    const table = new SessionTable();
    const told: string[] = [];
    table.subscribe((change) => told.push(`${change.kind} ${change.state.id}`));
    table.put(0, sessionState('a', 1));
    table.put(1, sessionState('b', 1));
    assert.equal(table.endAll(0, 'died'), 1);
    assert.deepEqual(told, ['changed a', 'changed b', 'ended a']);
    assert.equal(table.list().length, 1);
  });
});
