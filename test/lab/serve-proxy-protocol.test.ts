// PROXY headers of the server proxy, read by haproxy: it takes a connection only with a right header, and its log says
// whom the header named.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { must, waitFor } from './harness/command.js';
import { openLab, type Lab } from './harness/lab.js';
import { startBackend, startServe, type Serve } from './harness/serve.js';
import type { LabServer } from './harness/server.js';
import { python, type FtpsTask } from './serve/ftps-clients.js';
import { layOut, type Work } from './serve/ground.js';
import { startHaproxy, type Haproxy } from './serve/haproxy.js';
import { vsftpdPlain } from './servers/vsftpd.js';

let lab: Lab;
let backend: LabServer;
let haproxy: Haproxy;
let work: Work;

before(async () => {
  lab = await openLab();
  backend = await startBackend(lab, vsftpdPlain);
  haproxy = await startHaproxy(lab, backend);
  work = layOut(lab, backend, 'work');
});

after(async () => {
  await haproxy.stop();
  await lab.close();
});

function serveWith(version: 'v1' | 'v2', backendAddress: string): Promise<Serve> {
  const name = `${version}-${backendAddress.includes('[') ? 6 : 4}`;
  return startServe(lab, name, backendAddress, [`backend_proxy_protocol = "${version}"`]);
}

function task(address: string): FtpsTask {
  return { word: 'TLS', active: false, extended: true, lab, address, ...work };
}

/** The lines that haproxy writes about the sessions of `action`. */
async function heardDuring(action: () => Promise<void>): Promise<string> {
  const from = haproxy.log().length;
  await action();
  const heard = (): string => haproxy.log().slice(from);
  await waitFor(heard, () => heard().includes('\n'));
  return heard();
}

for (const version of ['v1', 'v2'] as const) {
  test(`haproxy understands the header, ${version}: clients and backends on IPv4 and IPv6`, async () => {
    for (const to of [haproxy.ipv4, haproxy.ipv6]) {
      const serve = await serveWith(version, to);
      for (const address of [serve.address.ipv4, serve.address.ipv6]) {
        const heard = await heardDuring(async () => {
          const said = await python(task(address), { steps: ['get', 'put'] });
          assert.match(said, /@@get\nok\n@@put\nok/, said + haproxy.log());
        });
        const client = address.includes(':') ? 'fd22::2' : '10.22.0.2';
        assert.match(heard, new RegExp(`^client=${client} port=[0-9]+ server=${address} `, 'm'));
      }
      await serve.stop();
    }
  });
}

test('this haproxy answers nobody who does not begin with a header', async () => {
  const knock = [
    'import socket, sys',
    'door = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)',
    "door.sendall(b'USER nobody\\r\\n')",
    'try:',
    '    print(door.recv(100))',
    'except ConnectionResetError:',
    "    print(b'')",
  ].join('\n');
  const place = { namespace: lab.network.srv };
  const said = await must(place, ['/usr/bin/python3', '-c', knock, ...haproxy.ipv4.split(':')]);
  assert.equal(said, "b''\n");
});
