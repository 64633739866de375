import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../daemon/config-load.js';
import { portShares } from '../../../daemon/divert/port-shares.js';
import { redirectLayer, requireOwnSourcePorts } from '../../../daemon/divert/redirect-layer.js';
import { Fault } from '../../../shared/fault.js';
import { range } from './plan-fixture.js';

const isConfigFault = (words: RegExp) => (error: unknown) =>
  error instanceof Fault && error.code === 'config' && words.test(error.userMessage);

test('the layer of this system is opened, another system’s is refused by name', async () => {
  const { divert } = parseConfig('', 'f');
  const shares = portShares(divert, 2);
  const said: string[] = [];
  const open = (layer: 'nftables' | 'tun' | 'windivert' | 'pf') =>
    redirectLayer({ ...divert, layer }, shares, (_level, message) => said.push(message));
  const mine = process.platform === 'win32' ? 'windivert' : 'nftables';
  const other = process.platform === 'win32' ? 'nftables' : 'windivert';
  assert.equal((await open(mine)).name, mine);
  assert.deepEqual(said, []);
  await assert.rejects(open(other), isConfigFault(new RegExp(`"${other}" is for`)));
  await assert.rejects(open('pf'), isConfigFault(/"pf" is for macOS only/));
  if (process.platform !== 'win32') {
    assert.equal((await open('tun')).name, 'tun');
    assert.match(said.join(), /blocked when the supervisor dies/);
  }
});

test('on Windows the proxy’s source ports are none that programs get', () => {
  for (const text of ['40000-49151', '44000-47999']) requireOwnSourcePorts(range(text));
  for (const text of ['49151-49152', '61000-64999', '40000-65535']) {
    assert.throws(
      () => {
        requireOwnSourcePorts(range(text));
      },
      isConfigFault(/49152-65535/),
    );
  }
});
