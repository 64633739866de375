// The table of privileged requests: what is let through, and that everything else is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_SERVERS, admitRequest, toSupervisorSchema } from '../../daemon/privops.js';
import { Fault } from '../../shared/fault.js';
import { port, range, server } from './divert/plan-fixture.js';
import type { ProxyPhase } from '../../daemon/privops.js';

const start = {
  shares: [
    { listen: range('31100-31115'), virtual: range('21210-22209'), sourcePorts: range('61000-62999') },
    { listen: range('31116-31131'), virtual: range('22210-23209'), sourcePorts: range('63000-64999') },
  ],
  active: range('23300-24299'),
};
const workers = [
  { control: port(31100), data: port(31101), virtual: range('21210-22209') },
  { control: port(31116), data: port(31117), virtual: range('22210-23209') },
];
const ready = { kind: 'workersReady', workers };
const servers = { kind: 'setServers', servers: [server('192.0.2.1', 23300), server('2001:db8::1', 23301)] };
const program = {
  kind: 'programOf',
  client: { address: '10.0.0.2', port: 40000 },
  server: { address: '192.0.2.1', port: 21 },
};
const pong = { kind: 'pong', number: 3 };
const origin = {
  kind: 'originOf',
  peer: { address: '192.0.2.1', port: 40000 },
  local: { address: '10.0.0.2', port: 31100 },
};

function admit(request: unknown, phase: ProxyPhase = 'running') {
  return admitRequest({ id: 7, request }, phase, start);
}

test('permitted requests come back as they were', () => {
  for (const request of [ready, servers, program, origin, pong])
    assert.deepEqual(admit(request), { id: 7, request });
  // The first connection may come before the supervisor has counted the redirect as made.
  for (const request of [ready, origin]) assert.deepEqual(admit(request, 'starting'), { id: 7, request });
});

test('before the workers are ready nothing else is permitted; while stopping all is dropped', () => {
  for (const request of [servers, program, pong]) assert.throws(() => admit(request, 'starting'), Fault);
  for (const request of [ready, servers, program, pong]) assert.equal(admit(request, 'stopping'), undefined);
});

const refused: Readonly<Record<string, unknown>> = {
  'no message': undefined,
  'unknown kind': { kind: 'exec', command: 'id' },
  'unknown key': { ...ready, also: 1 },
  'too few workers': { ...ready, workers: workers.slice(0, 1) },
  'too many workers': { ...ready, workers: [...workers, ...workers] },
  'workers in another order': { ...ready, workers: workers.toReversed() },
  'a listener outside the range': { ...ready, workers: [{ ...workers[0], control: 22 }, workers[1]] },
  'a data listener outside the range': { ...ready, workers: [{ ...workers[0], data: 31116 }, workers[1]] },
  'data listeners that leave the range': {
    ...ready,
    workers: [{ ...workers[0], dataLast: port(31116) }, workers[1]],
  },
  'data listeners that end before they begin': {
    ...ready,
    workers: [{ ...workers[0], data: port(31104), dataLast: port(31103) }, workers[1]],
  },
  'the control port among the data ports': {
    ...ready,
    workers: [{ ...workers[0], control: port(31103), dataLast: port(31108) }, workers[1]],
  },
  'one port for both': { ...ready, workers: [{ ...workers[0], data: 31100 }, workers[1]] },
  'a wider virtual range': {
    ...ready,
    workers: [{ ...workers[0], virtual: range('1024-65535') }, workers[1]],
  },
  'an active port outside the range': { ...servers, servers: [server('192.0.2.1', 22)] },
  'one address twice': { ...servers, servers: [server('192.0.2.1', 23300), server('192.0.2.1', 23301)] },
  'one active port twice': { ...servers, servers: [server('192.0.2.1', 23300), server('192.0.2.2', 23300)] },
  'text that is no address': { ...servers, servers: [{ address: '} }\nflush ruleset', activePort: 23300 }] },
  'too many servers': {
    ...servers,
    servers: Array.from({ length: MAX_SERVERS + 1 }, (_, i) => server(`10.0.${i >> 8}.${i & 255}`, 23300)),
  },
  'a port that is no port': { ...program, client: { address: '10.0.0.2', port: 0 } },
};

for (const [what, request] of Object.entries(refused)) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => admit(request),
      (error) => error instanceof Fault && error.code === 'protocol',
    );
  });
}

test('an id is needed', () => {
  assert.throws(() => admitRequest({ request: ready }, 'running', start), Fault);
  assert.equal(toSupervisorSchema.safeParse({ id: -1, request: ready }).success, false);
});
