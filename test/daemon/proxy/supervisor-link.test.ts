import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toSupervisorSchema, type ToSupervisor } from '../../../daemon/privops.js';
import { SupervisorLink } from '../../../daemon/proxy/supervisor-link.js';
import { Fault } from '../../../shared/fault.js';
import { connection } from '../trust/fixture.js';

const range = { first: 31100, last: 31115 };
const start = {
  kind: 'start',
  shares: [{ listen: range, virtual: range, sourcePorts: range }],
  active: range,
};

function make() {
  const sent: ToSupervisor[] = [];
  const stops: string[] = [];
  let say: (message: unknown) => void = () => undefined;
  let hangUp: () => void = () => undefined;
  const link = new SupervisorLink(
    {
      send: (message) => {
        sent.push(toSupervisorSchema.parse(message));
      },
      onMessage: (listener) => {
        say = listener;
      },
      onDisconnect: (listener) => {
        hangUp = listener;
      },
    },
    {
      stop: (graceMs, reason) => stops.push(`${graceMs} ${reason}`),
      reload: () => stops.push('reload'),
    },
  );
  return {
    link,
    sent,
    stops,
    say: (message: unknown) => {
      say(message);
    },
    hangUp: () => {
      hangUp();
    },
  };
}

describe('the link to the supervisor', () => {
  it('gets its start', async () => {
    const { link, say } = make();
    say(start);
    assert.equal((await link.start).shares.length, 1);
  });

  it('hears that the administrator’s keys are to be read again', () => {
    const { say, stops } = make();
    say({ kind: 'reload' });
    assert.deepEqual(stops, ['reload']);
  });

  it('hears once that a successor waits', async () => {
    const { link, say, stops } = make();
    say({ kind: 'retire', withinMs: 5 });
    say({ kind: 'retire', withinMs: 6 });
    assert.equal(await link.retired, 5);
    assert.deepEqual(stops, []);
  });

  it('matches answers to requests in any order', async () => {
    const { link, sent, say } = make();
    const first = link.setServers([]);
    const second = link.programOf(connection());
    say({ kind: 'answer', id: sent[1]?.id, answer: { kind: 'program', name: 'lftp' } });
    say({ kind: 'answer', id: sent[0]?.id, answer: { kind: 'done' } });
    await first;
    assert.equal(await second, 'lftp');
  });

  it('turns a refusal into a fault with its sentence', async () => {
    const { link, sent, say } = make();
    const asked = link.workersReady([{ control: 1, data: 2, virtual: range } as never]);
    say({ kind: 'answer', id: sent[0]?.id, answer: { kind: 'failed', sentence: 'nft says no' } });
    await assert.rejects(asked, (error) => error instanceof Fault && error.userMessage === 'nft says no');
  });

  it('never has more requests under way than the supervisor bears', async () => {
    const { link, sent, say } = make();
    const asked = Array.from({ length: 500 }, () => link.programOf(connection()));
    assert.equal(sent.length, 128);
    for (let n = 0; n < 500; n++) say({ kind: 'answer', id: sent[n]?.id, answer: { kind: 'program' } });
    await Promise.all(asked);
    assert.equal(sent.length, 500);
  });

  it('ends when it is told to, when the supervisor goes, and when it does not understand', async () => {
    const { link, stops, say, hangUp } = make();
    const asked = link.setServers([]);
    say({ kind: 'stop', graceMs: 5 });
    say({ kind: 'surprise' });
    hangUp();
    await assert.rejects(asked, Fault);
    assert.match(stops[0] ?? '', /^5 asked/);
    assert.match(stops[1] ?? '', /another language/);
    assert.match(stops[2] ?? '', /has gone/);
  });
});
