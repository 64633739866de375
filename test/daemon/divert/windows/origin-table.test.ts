import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OriginTable } from '../../../../daemon/divert/windows/origin-table.js';
import { endpoint, port } from '../plan-fixture.js';

const ends = { peer: endpoint('192.0.2.9', 40001), local: endpoint('10.0.0.1', 31100) };
const opened = (id: number, client: number) => ({
  kind: 'opened' as const,
  id,
  client: endpoint('10.0.0.1', client),
  server: endpoint('192.0.2.9', 21),
  uid: 1000,
  aliasPort: port(40001),
  proxyPort: port(31100),
});

test('a connection is found by what the proxy sees of it, until it is closed', () => {
  const table = new OriginTable();
  assert.equal(table.find(ends), undefined);
  table.note(opened(1, 40000));
  assert.equal(table.find(ends)?.client.port, 40000);
  assert.equal(table.find({ ...ends, local: endpoint('10.0.0.1', 31101) }), undefined);
  assert.equal(table.find({ ...ends, peer: endpoint('192.0.2.8', 40001) }), undefined);
  table.note({ kind: 'closed', id: 1 });
  assert.equal(table.find(ends), undefined);
  assert.equal(table.size, 0);
});

test('the end of an older connection over the same ports does not take the newer one away', () => {
  const table = new OriginTable();
  table.note(opened(1, 40000));
  table.note(opened(2, 40009));
  table.note({ kind: 'closed', id: 1 });
  assert.equal(table.find(ends)?.client.port, 40009);
  table.note({ kind: 'closed', id: 2 });
  assert.equal(table.size, 0);
});
