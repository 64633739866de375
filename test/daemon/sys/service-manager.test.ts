// What systemd is told, over real sockets of both kinds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { serviceManager } from '../../../daemon/sys/service-manager.js';

const skip = process.platform === 'linux' ? false : 'systemd is Linux’s';
const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1))
print('bound', flush=True)
for _ in range(4): print(s.recv(4096).decode(), flush=True)
`;

for (const kind of ['a path', 'an abstract name']) {
  test(`at ${kind}: ready, status in one line, alive, stopping`, { skip }, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-notify-'));
    const name = kind === 'a path' ? path.join(folder, 'notify') : `@${folder}`;
    const listener = spawn('python3', ['-c', receiver, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    listener.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(listener.stdout, 'data');
    const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '3000000', WATCHDOG_PID: String(process.pid), X: '1' };
    const manager = serviceManager(env);
    assert.deepEqual(env, { X: '1' }, 'no child speaks in our place');
    assert.equal(manager?.watchdogMs, 3000);
    manager.ready();
    manager.status('one\ntwo');
    manager.alive();
    manager.stopping();
    await once(listener, 'exit');
    rmSync(folder, { recursive: true });
    assert.equal(said, 'bound\nREADY=1\nSTATUS=one two\nWATCHDOG=1\nSTOPPING=1\n');
  });
}

test('without a manager, or one that has gone, nothing is said and nothing fails', { skip }, () => {
  assert.equal(serviceManager({}), undefined);
  for (const name of ['', 'relative', '/' + 'x'.repeat(108)])
    assert.equal(serviceManager({ NOTIFY_SOCKET: name }), undefined);
  const gone = serviceManager({ NOTIFY_SOCKET: '/nonexistent/notify', WATCHDOG_USEC: '1000000' });
  gone?.ready();
  gone?.alive();
  const others = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' };
  assert.equal(serviceManager(others)?.watchdogMs, undefined, 'the watchdog of another process');
});
