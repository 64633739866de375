// Names of users and hosts become numbers at the start.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../daemon/config-load.js';
import { planBase } from '../../../daemon/supervisor/plan-base.js';
import { Fault } from '../../../shared/fault.js';
import { net } from '../divert/plan-fixture.js';

function divert(lines: string) {
  return parseConfig(`[divert]\n${lines}\n`, 'test.toml').divert;
}

const silent = (): void => undefined;

test('users, blocks and names', async () => {
  const settings = divert(
    'exempt_users = ["root", 1234]\nexempt_hosts = ["192.0.2.0/24", "2001:db8::1", "localhost"]',
  );
  const base = await planBase(settings, 21021, silent);
  assert.deepEqual(base.exemptUids, [0, 1234]);
  assert.deepEqual(base.exemptNets.slice(0, 2), [net('192.0.2.0/24'), net('2001:db8::1/128')]);
  assert.ok(base.exemptNets.length > 2);
  assert.equal(base.proxyUid, 21021);
});

test('a user who is not there is a fault that names the key', async () => {
  await assert.rejects(planBase(divert('exempt_users = ["nobody-by-that-name"]'), 21021, silent), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.userMessage, 'divert.exempt_users: there is no user nobody-by-that-name.');
    return true;
  });
});

test('a host without an address is a warning', async () => {
  const warnings: string[] = [];
  const base = await planBase(divert('exempt_hosts = ["no-such-host.invalid"]'), 21021, (level, message) => {
    warnings.push(`${level}: ${message}`);
  });
  assert.deepEqual(base.exemptNets, []);
  assert.match(warnings.join(), /^warn: divert\.exempt_hosts: no-such-host\.invalid has no address now/);
});
