// The package in a clean Debian 12 in which no systemd runs, as when images are made: install, upgrade, downgrade, remove, purge, and
// what is left after each.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before } from 'node:test';
import { openLab, type Lab } from './harness/lab.js';
import { openDebianRoot, type DebianRoot } from './package/debian-root.js';
import { overlayObstacle, testUnless } from './package/obstacle.js';
import { bothVersions, debName, versions } from './package/packages.js';

const obstacle = overlayObstacle();
const test = testUnless(obstacle);

let lab: Lab;
let root: DebianRoot;
let opened: DebianRoot | undefined;

before(async () => {
  if (obstacle !== undefined) return;
  lab = await openLab();
  const packages = await bothVersions();
  root = await openDebianRoot(path.join(lab.folder, 'root'));
  opened = root;
  for (const name of versions.map(debName)) await root.put(path.join(packages, name), `/tmp/${name}`);
});

after(async () => {
  if (obstacle !== undefined) return;
  await opened?.close();
  await lab.close();
});

async function version(): Promise<string> {
  return root.must(['dpkg-query', '--show', '--showformat=${Version} ${db:Status-Status}', 'ftpseal']);
}

/** Files that were added or changed since the clean system, without what dpkg and the caches keep for themselves. */
function changed(): readonly string[] {
  return readdirSync(root.changes, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.isCharacterDevice())
    .map((entry) => path.relative(root.changes, path.join(entry.parentPath, entry.name)))
    .filter((file) => !/^(tmp|var\/lib\/dpkg|var\/cache|var\/log)\//.test(file))
    .sort();
}

test('installed: the user, the service enabled, the commands, nothing started', async () => {
  await root.must(['dpkg', '--install', `/tmp/${debName('0.1.0')}`]);
  assert.equal(await version(), '0.1.0 installed');
  assert.match(await root.must(['getent', 'passwd', 'ftpseal']), /:\/nonexistent:\/usr\/sbin\/nologin$/m);
  const enabled = 'etc/systemd/system/multi-user.target.wants/ftpseal.service';
  assert.ok(changed().includes(enabled));
  assert.match(await root.must(['ftpseal', 'check']), /config.toml is fine/);
  assert.match(await root.must(['ftpseal', '--version']), /0\.1\.0/);
  assert.match(await root.must(['man', '--where', 'ftpseal-keys']), /man1\/ftpseal-keys\.1\.gz/);
  assert.equal(await root.must(['dpkg', '--verify', 'ftpseal']), '');
});

test('an upgrade and a downgrade keep what the administrator wrote', async () => {
  await root.must(['sh', '-c', 'echo "[trust]\nunknown = \\"refuse\\"" > /etc/ftpseal/config.toml']);
  await root.must(['sh', '-c', 'mkdir -p /var/lib/ftpseal && echo "{}" > /var/lib/ftpseal/keys.json']);
  for (const next of ['0.2.0', '0.1.0']) {
    await root.must(['dpkg', '--install', `/tmp/${debName(next)}`]);
    assert.equal(await version(), `${next} installed`);
    assert.match(await root.must(['ftpseal', '--version']), new RegExp(next.replaceAll('.', '\\.')));
    const config = await root.must(['ftpseal', 'check', '--json']);
    assert.match(config, /"unknown": "refuse"/);
  }
});

test('removed: configuration and state stay, the program is gone', async () => {
  await root.must(['dpkg', '--remove', 'ftpseal']);
  assert.equal(await version(), '0.1.0 config-files');
  const left = changed().filter((file) => file.includes('ftpseal'));
  assert.ok(left.includes('etc/ftpseal/config.toml') && left.includes('var/lib/ftpseal/keys.json'));
  assert.deepEqual(
    left.filter((file) => file.startsWith('usr/')),
    [],
  );
});

test('purged: nothing is left', async (t) => {
  await root.must(['dpkg', '--purge', 'ftpseal']);
  t.diagnostic(`files that differ from the clean system: ${changed().join(' ') || 'none'}`);
  const everything = readdirSync(root.changes, { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    everything.filter((file) => file.includes('ftpseal') && !file.startsWith('tmp/')),
    [],
  );
  for (const file of ['passwd', 'group', 'shadow', 'gshadow', 'subuid', 'subgid'])
    assert.doesNotMatch(await root.must(['cat', `/etc/${file}`]), /ftpseal/, file);
  // useradd and userdel keep the file before the last change beside each, so a name may stand there until the next one.
  const backups = changed().filter((file) =>
    /^etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?$/.test(file),
  );
  assert.deepEqual(
    changed().filter((file) => !backups.includes(file) && file !== 'etc/.pwd.lock'),
    [],
  );
});

test('installed again after the removal, it starts with the administrator’s file', async () => {
  await root.must(['dpkg', '--install', `/tmp/${debName('0.2.0')}`]);
  assert.ok(existsSync(path.join(root.changes, 'etc/ftpseal/config.toml')));
  await root.must(['dpkg', '--purge', 'ftpseal']);
});
