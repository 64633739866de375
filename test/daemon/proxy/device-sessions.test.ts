import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceSessions, MOST_IN_ALL } from '../../../daemon/proxy/device-sessions.js';
import { endpoint } from '../divert/plan-fixture.js';

const from = (host: string) => ({ server: endpoint('192.0.2.1', 21), client: endpoint(host, 40000) });

/** `running` is what the table of sessions would say. */
function limit(most: number) {
  const running = { own: 0, all: 0 };
  const clock = { now: 0 };
  const devices = new DeviceSessions({ most, sessions: () => running, now: () => clock.now });
  return { devices, running, clock };
}

test('a device gets so many sessions, those on their way to be one included', () => {
  const { devices, running } = limit(3);
  running.own = 1;
  assert.equal(devices.admit(from('10.0.0.1')), undefined);
  assert.equal(devices.admit(from('10.0.0.1')), undefined);
  assert.match(devices.admit(from('10.0.0.1')) ?? '', /has 3 FTP sessions open already/);
  // One of the two is in the table now: it counts once.
  devices.began(from('10.0.0.1'));
  running.own = 2;
  assert.match(devices.admit(from('10.0.0.1')) ?? '', /has 3 FTP sessions open/);
});

test('a connection that never became a session gives its place back after a minute', () => {
  const { devices, clock } = limit(1);
  assert.equal(devices.admit(from('10.0.0.1')), undefined);
  clock.now = 59_999;
  assert.notEqual(devices.admit(from('10.0.0.1')), undefined);
  assert.equal(devices.admit(from('10.0.0.2')), undefined, 'another device');
  clock.now = 60_000;
  assert.equal(devices.admit(from('10.0.0.1')), undefined);
});

test('all devices together, however many addresses they have, leave room for the machine’s own users', () => {
  const { devices, running } = limit(16);
  running.all = MOST_IN_ALL - 2;
  assert.equal(devices.admit(from('fd00::1')), undefined);
  assert.equal(devices.admit(from('fd00::2')), undefined);
  assert.match(devices.admit(from('fd00::3')) ?? '', /too many devices/);
});
