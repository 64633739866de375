import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfig, parseConfig } from '../../daemon/config-load.js';
import { configSchema, policyFor } from '../../daemon/config.js';
import { Fault } from '../../shared/fault.js';
import { at } from './trust/fixture.js';

/** The example of the design paper, whole. */
const example = `
[divert]
ports = [21]
exempt_users = ["backup", 33]
exempt_hosts = ["192.0.2.0/24", "printer.lan", "2001:db8::1"]
data_ports = "21210-23209"   # virtual ports for passive data connections
forwarded = false
on_failure = "closed"
[trust]
unknown = "ask"
ca_valid = "accept"
replicate = "accept"
prompt_timeout = "2m"
store = "file"
[fallback]
cleartext = "warn"
[data]
protection = "private"
allow_foreign_address = false
[tls]
min_version = "TLSv1.2"
mechanisms = ["TLS", "X-SafeTP1"]
[[host]]
match = "ftp.example.com"
mode = "implicit"
[[host]]
match = "10.0.0.0/8:2121"
tls.min_version = "TLSv1"
[host.trust]
unknown = "refuse"
prompt_timeout = "1500ms"
[[host]]
match = "*.example.com"
mode = "plain"
`;

/** Everything the fault says, with the lines sorted out. */
function problems(text: string): string {
  try {
    parseConfig(text, 'f.toml');
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'config');
    return error.userMessage;
  }
  return assert.fail('was accepted');
}

describe('the configuration', () => {
  it('has a default for every key', () => {
    const config = parseConfig('', 'f');
    assert.equal(config.divert.layer, 'nftables');
    assert.deepEqual(config.divert.ports, [21]);
    assert.deepEqual(config.divert.dataPorts, { first: 21210, last: 23209 });
    assert.deepEqual(config.divert.sourcePorts, { first: 61000, last: 64999 });
    assert.deepEqual(config.divert.activePorts, { first: 23300, last: 24299 });
    assert.equal(config.trust.promptTimeoutMs, 45_000);
    assert.equal(config.fallback.cleartext, 'warn');
    assert.deepEqual(config.tls.mechanisms, ['TLS', 'X-SafeTP1']);
  });

  it('takes the whole example, and is plain data that a worker’s check accepts', () => {
    const config = parseConfig(example, 'f');
    assert.deepEqual(configSchema.parse(structuredClone(config)), config);
    assert.equal(config.trust.promptTimeoutMs, 120_000);
    assert.deepEqual(config.divert.exemptUsers, ['backup', 33]);
    assert.deepEqual(
      config.divert.exemptHosts.map((host) => host.kind),
      ['net', 'name', 'net'],
    );
  });

  it('gives each server the first match over the global tables', () => {
    const config = parseConfig(example, 'f');
    const named = policyFor(config, at('198.51.100.1'), 'FTP.example.com.');
    assert.equal(named.mode, 'implicit');
    assert.equal(named.name, 'ftp.example.com');
    assert.equal(policyFor(config, at('198.51.100.1'), 'other.example.com').mode, 'plain');
    assert.equal(policyFor(config, at('198.51.100.1'), 'example.com').mode, 'explicit');
    assert.equal(policyFor(config, at('198.51.100.1')).mode, 'explicit');
    const inside = policyFor(config, at('10.1.2.3', 2121));
    assert.equal(inside.trust.unknown, 'refuse');
    assert.equal(inside.trust.promptTimeoutMs, 1500);
    assert.equal(inside.trust.caValid, 'accept');
    assert.equal(inside.tls.minVersion, 'TLSv1');
    assert.equal(policyFor(config, at('10.1.2.3', 21)).trust.unknown, 'ask');
    assert.equal(policyFor(config, at('11.1.2.3', 2121)).trust.unknown, 'ask');
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['[trust]\n\nunknown = "yes"', 'f.toml:3: trust.unknown must be "ask" or "accept-new" or "refuse"'],
    ['[trust]\nprompt_timeout = 45', 'f.toml:2: trust.prompt_timeout must be a duration'],
    ['[trust]\nprompt_timeout = "25h"', 'f.toml:2: trust.prompt_timeout must be a duration'],
    ['[trust]\nunknwon = "ask"', 'f.toml:2: trust.unknwon is not known here; allowed are: unknown, ca_valid'],
    ['[trsut]\nunknown = "ask"', 'f.toml:1: trsut is not known here; allowed are: divert, trust'],
    ['[divert]\nports = [21, 70000]', 'f.toml:2: divert.ports[2] must be a port number from 1 to 65535'],
    ['[divert]\nports = 21', 'f.toml:2: divert.ports must be a list of port numbers'],
    ['[divert]\nports = []', 'f.toml:2: divert.ports must hold at least one port'],
    [
      '[divert]\ndata_ports = "3000-2000"',
      'f.toml:2: divert.data_ports must be a range of at least 64 ports',
    ],
    ['[divert]\ndata_ports = "61000-63000"', 'f.toml:1: divert.source_ports overlaps data_ports'],
    ['[divert]\nports = [22000]', 'divert.data_ports must not hold the intercepted port 22000'],
    ['[divert]\nexempt_hosts = ["*.a.test"]', 'f.toml:2: divert.exempt_hosts[1] must be a name'],
    ['[divert]\nlayer = "ipfw"', 'f.toml:2: divert.layer must be "nftables" or "tun" or "windivert"'],
    ['[divert]\nworkers = 65', 'f.toml:2: divert.workers must be 64 or less'],
    ['divert.forwarded = "no"', 'f.toml:1: divert.forwarded must be true or false'],
    ['[tls]\nmin_version = "TLSv1"', 'f.toml:2: tls.min_version must be "TLSv1.2" or "TLSv1.3"'],
    ['[tls]\nmechanisms = []', 'f.toml:2: tls.mechanisms must name at least one mechanism'],
    ['[[host]]\nmatch="a"\n[[host]]\nmode="plain"', 'f.toml:3: host[2].match is missing or wrong'],
    [
      '[[host]]\nmatch="a"\n[[host]]\nmatch="b"\n[host.data]\nprotection="x"',
      'f.toml:6: host[2].data.protection must be "private" or "clear" or "auto"',
    ],
    [
      '[[host]]\nmatch="a"\ndivert={}',
      'f.toml:3: host[1].divert is not known here; allowed are: match, mode',
    ],
    ['[divert\n', 'f.toml:'],
    ['a = 1\na = 2', 'f.toml:2:'],
  ];
  for (const [text, expected] of wrong) {
    it(`names file, line, key and what is allowed: ${JSON.stringify(text)}`, () => {
      const shown = problems(text);
      assert.ok(shown.includes(expected), `${shown}\ndoes not include\n${expected}`);
    });
  }

  it('lists every problem, in the order of the file', () => {
    const lines = problems('[trust]\nunknown = 1\nfoo = 2\n[data]\nprotection = 3').split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      ['f.toml:2:', 'f.toml:3:', 'f.toml:5:'],
    );
  });

  it('a file that was named must exist and be readable text', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ftpseal-config-'));
    try {
      const path = join(folder, 'config.toml');
      await assert.rejects(loadConfig(path), /does not exist/);
      await writeFile(path, '[data]\nprotection = "clear"\n');
      assert.equal((await loadConfig(path)).data.protection, 'clear');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
