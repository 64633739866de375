// Whose forwarded FTP a gateway secures, from the file to the policy of one connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientRuleFor, clientRules } from '../../daemon/client-rule.js';
import { parseConfig } from '../../daemon/config-load.js';
import { policyOf } from '../../daemon/config.js';
import { forwardedPlan } from '../../daemon/supervisor/forwarded-plan.js';
import { Fault } from '../../shared/fault.js';
import { address, endpoint, range } from './divert/plan-fixture.js';

const file = `
[divert]
forwarded = true
forwarded_from = ["10.21.0.0/24"]
[fallback]
cleartext = "refuse"
[[client]]
match = "10.21.0.3"
mode = "leave"
[[client]]
match = "10.21.0.0/28"
fallback = { cleartext = "allow" }
[[host]]
match = "192.0.2.1"
fallback = { cleartext = "ask" }
`;
const config = parseConfig(file, 'f.toml');
const share = {
  listen: range('31100-31115'),
  virtual: range('21210-22209'),
  sourcePorts: range('61000-61999'),
};

test('the first that holds the address counts, then forwarded_from, then nobody', () => {
  const modeOf = (text: string) => clientRuleFor(config, address(text))?.mode;
  assert.equal(modeOf('10.21.0.3'), 'leave');
  assert.equal(modeOf('10.21.0.4'), 'secure');
  assert.equal(modeOf('10.21.0.99'), 'secure');
  assert.equal(modeOf('10.22.0.1'), undefined);
  assert.equal(modeOf('fd00::1'), undefined);
});

test('by default those behind a router and in containers, no public address', () => {
  const usual = parseConfig('', 'f.toml');
  const served = (text: string) => clientRuleFor(usual, address(text)) !== undefined;
  for (const one of ['10.1.2.3', '172.17.0.2', '192.168.1.9', 'fd12:3456::1']) assert.ok(served(one), one);
  for (const one of ['192.0.2.1', '172.32.0.1', '2001:db8::1', 'fe80::1']) assert.ok(!served(one), one);
});

test('a device’s fallback counts before the global one and after a server’s own', () => {
  const cleartext = (client: string, server: string, forwarded: boolean) => {
    const ends = { client: endpoint(client, 40000), server: endpoint(server, 21) };
    return policyOf(config, { ...ends, ...(forwarded ? { forwarded } : {}) }).fallback.cleartext;
  };
  assert.equal(cleartext('10.21.0.5', '192.0.2.9', true), 'allow');
  assert.equal(cleartext('10.21.0.5', '192.0.2.1', true), 'ask');
  assert.equal(cleartext('10.21.0.99', '192.0.2.9', true), 'refuse');
  assert.equal(cleartext('10.21.0.5', '192.0.2.9', false), 'refuse', 'no device, whatever its address');
});

test('a wrong client is told with its line', () => {
  const wrong = `${file}[[client]]\nmatch = "ftp.example.com"\nmode = "maybe"\n`;
  assert.throws(
    () => parseConfig(wrong, 'f.toml'),
    (error) => {
      assert.ok(error instanceof Fault);
      assert.match(error.userMessage, /f\.toml:17: client\[3\]\.match .*must be an address or a block/);
      assert.match(
        error.userMessage,
        /f\.toml:18: client\[3\]\.mode must be "secure" or "leave" or "refuse"/,
      );
      return true;
    },
  );
});

test('the plan has the clients in order; none where it is off or the layer can’t', () => {
  const said: string[] = [];
  const log = (_level: string, message: string) => said.push(message);
  const plan = forwardedPlan(config, [share], log);
  assert.deepEqual(plan?.listen, [share.listen]);
  assert.deepEqual(
    plan.clients.map(({ net, mode }) => `${net.address}/${net.prefix} ${mode}`),
    ['10.21.0.3/32 leave', '10.21.0.0/28 secure', '10.21.0.0/24 secure'],
  );
  assert.equal(clientRules(config).length, 3);
  assert.equal(forwardedPlan(parseConfig('', 'f.toml'), [share], log), undefined);
  said.length = 0;
  const tun = parseConfig('[divert]\nlayer = "tun"\nforwarded = true\n', 'f.toml');
  assert.equal(forwardedPlan(tun, [share], log), undefined);
  assert.deepEqual(said, ['divert.forwarded has no effect with divert.layer = "tun"']);
});
