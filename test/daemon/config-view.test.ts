import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfigFile } from '../../daemon/config-load.js';
import { configView } from '../../daemon/config-view.js';
import { configViewSchema } from '../../shared/ipc-messages.js';

const text = `
[trust]
unknown = "refuse"
prompt_timeout = "2m"
[divert]
ports = [21, 2121]
[[host]]
match = "*.example.test:990"
mode = "implicit"
trust = { ca_valid = "ask" }
[[host]]
match = "2001:db8::/32"
fallback.cleartext = "allow"
`;

async function view(content: string) {
  const folder = await mkdtemp(join(tmpdir(), 'ftpseal-config-'));
  try {
    const file = join(folder, 'config.toml');
    await writeFile(file, content);
    const { config, source } = await loadConfigFile(file);
    return configView(config, source);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the configuration as people see it', () => {
  it('has every value in force as it would be written, and knows which ones the file sets', async () => {
    const shown = await view(text);
    configViewSchema.parse(shown);
    const of = (key: string) => shown.settings.find((setting) => setting.key === key);
    assert.deepEqual(of('trust.unknown'), { key: 'trust.unknown', value: '"refuse"', origin: 'file' });
    assert.deepEqual(of('trust.prompt_timeout')?.value, '"2m"');
    assert.deepEqual(of('divert.ports')?.value, '[21, 2121]');
    assert.deepEqual(of('trust.ca_valid'), { key: 'trust.ca_valid', value: '"accept"', origin: 'default' });
    assert.deepEqual(shown.hosts, [
      {
        match: '*.example.test:990',
        settings: [
          { key: 'mode', value: '"implicit"', origin: 'file' },
          { key: 'trust.ca_valid', value: '"ask"', origin: 'file' },
        ],
      },
      { match: '2001:db8::/32', settings: [{ key: 'fallback.cleartext', value: '"allow"', origin: 'file' }] },
    ]);
  });

  it('written back into a file gives the same configuration', async () => {
    const shown = await view('');
    const again = await view(shown.settings.map(({ key, value }) => `${key} = ${value}`).join('\n'));
    assert.ok(again.settings.every(({ origin }) => origin === 'file'));
    assert.deepEqual(
      again.settings.map(({ key, value }) => [key, value]),
      shown.settings.map(({ key, value }) => [key, value]),
    );
  });

  it('stays within the bounds of a message, whatever is in the file', async () => {
    const names = Array.from(
      { length: 1000 },
      (_, n) => `"${`n${n}`.padEnd(60, 'x')}.${'y'.repeat(60)}.test"`,
    );
    configViewSchema.parse(await view(`[divert]\nexempt_hosts = [${names.join(', ')}]`));
  });
});
