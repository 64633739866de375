// What `npm run dist:linux` makes, looked at with the tools that packagers use: the same bytes twice, descriptions that hold,
// a bill of materials that names every part, and the .rpm.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { parseConfig } from '../../daemon/config-load.js';
import { must, run } from './harness/command.js';
import { openLab, type Lab } from './harness/lab.js';
import { buildPackages, debName } from './package/packages.js';

let lab: Lab;
let tree: string;
let printed: string;
const deb = debName('0.1.0');
const rpm = 'ftpseal-0.1.0-1.x86_64.rpm';

before(async () => {
  lab = await openLab();
  printed = await buildPackages(folder('one'), { version: '0.1.0' });
  tree = folder('tree');
  await must({}, ['dpkg', '--extract', path.join(folder('one'), deb), tree]);
});

after(async () => {
  await lab.close();
});

function folder(name: string): string {
  return path.join(lab.folder, name);
}

function text(file: string): string {
  return readFileSync(path.join(tree, file), 'utf8');
}

function hash(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

test('built twice, by people with other habits, the packages are the same', async () => {
  mkdirSync(folder('elsewhere'));
  const habits = [
    'env',
    'TZ=Asia/Tokyo',
    `TMPDIR=${folder('elsewhere')}`,
    'sh',
    '-c',
    'umask 077; exec "$@"',
    'sh',
  ];
  await buildPackages(folder('two'), { version: '0.1.0', wrap: habits });
  for (const name of [deb, rpm]) {
    const first = hash(path.join(folder('one'), name));
    assert.equal(hash(path.join(folder('two'), name)), first, name);
    assert.ok(printed.includes(first), 'the build prints the hash');
  }
});

test('man pages, unit files, desktop files and AppStream data are what they should be', async () => {
  const pages = readdirSync(path.join(tree, 'usr/share/man/man1'));
  assert.ok(pages.includes('ftpseal.1.gz') && pages.includes('ftpseal-serve.1.gz'), pages.join(' '));
  for (const name of pages) {
    const page = gunzipSync(readFileSync(path.join(tree, 'usr/share/man/man1', name))).toString('utf8');
    await must({}, ['mandoc', '-T', 'lint', '-W', 'warning'], page);
  }
  for (const name of [
    'usr/share/applications/org.ftpseal.ftpseal.desktop',
    'etc/xdg/autostart/ftpseal.desktop',
  ])
    assert.equal(await must({}, ['desktop-file-validate', path.join(tree, name)]), '');
  const metainfo = path.join(tree, 'usr/share/metainfo/org.ftpseal.ftpseal.metainfo.xml');
  await must({}, ['appstreamcli', 'validate', '--no-net', metainfo]);
  const { stderr } = await run({}, [
    'systemd-analyze',
    'verify',
    '--root',
    tree,
    '--man=no',
    '--recursive-errors=no',
    'ftpseal.service',
    'ftpseal-names.socket',
    'ftpseal-boot.service',
  ]);
  // Programs of the machine that the package runs on.
  const own = /Command \/(bin\/sh|usr\/lib\/systemd\/systemd-socket-proxyd) is not executable/;
  assert.deepEqual(
    stderr.split('\n').filter((line) => line !== '' && !own.test(line)),
    [],
  );
});

test('completions can be read by their shells, and bash’s completes', async () => {
  const bash = path.join(tree, 'usr/share/bash-completion/completions/ftpseal');
  await must({}, ['zsh', '-n', path.join(tree, 'usr/share/zsh/vendor-completions/_ftpseal')]);
  await must({}, [
    'fish',
    '--no-execute',
    path.join(tree, 'usr/share/fish/vendor_completions.d/ftpseal.fish'),
  ]);
  const complete = async (...words: readonly string[]) => {
    const asked = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _ftpseal; echo "${COMPREPLY[*]}"';
    return (await must({}, ['bash', '-c', asked, bash, 'ftpseal', ...words])).trim();
  };
  assert.equal(await complete('se'), 'sessions serve');
  assert.equal(await complete('keys', 're'), 'remove revoke');
  assert.equal(await complete('daemon', '--log-level', ''), 'debug info warn error');
  assert.equal(await complete('sessions', '--w'), '--watch');
});

test('the configuration file says the defaults', () => {
  const file = text('etc/ftpseal/config.toml');
  assert.deepEqual(parseConfig(file, 'as shipped'), parseConfig('', 'empty'));
  const uncommented = file.replace(/^#(?=[a-z_]+ = )/gm, '').replace(/^(#\[\[host\]\]\n)(.*\n)*/m, '');
  assert.deepEqual(parseConfig(uncommented, 'uncommented'), parseConfig('', 'empty'));
  const [host = ''] = file.split(/^(?=#\[\[client\]\])/m);
  const withHost = host.replace(/^#(\[\[host\]\]|match|mode|trust)/gm, '$1');
  assert.equal(parseConfig(withHost, 'with a host').hosts.length, 1);
});

test('no thread keeps more of the program’s source than it needs', () => {
  const folder = path.join(tree, 'usr/lib/ftpseal/dist/daemon');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.js')) continue;
    const source = readFileSync(path.join(folder, file), 'utf8');
    // V8 keeps two bytes for each letter of a file that has one beyond Latin-1.
    assert.doesNotMatch(source, /[^\u0000-\u00ff]/, file);
    assert.doesNotMatch(
      source,
      /^\/\/ node_modules\/zod\/.*\/from-json-schema\.js$/m,
      `${file}: zod, unused`,
    );
  }
});

/** The bundler says above each file where it is from. */
function bundledParts(): readonly string[] {
  const folder = path.join(tree, 'usr/lib/ftpseal/dist/daemon');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.js'),
  );
  return files.flatMap((file) =>
    [
      ...readFileSync(path.join(folder, file), 'utf8').matchAll(
        /^\s*\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm,
      ),
    ].map(([, name = '']) => name),
  );
}

test('every part has its licence, its version and its hash', () => {
  const component = z.looseObject({
    name: z.string(),
    version: z.string(),
    purl: z.string(),
    licenses: z.array(z.object({ expression: z.string() })).length(1),
    hashes: z.array(z.object({ alg: z.literal('SHA-512'), content: z.string().length(128) })).length(1),
  });
  const bill = z.looseObject({ bomFormat: z.literal('CycloneDX'), components: z.array(component) });
  const { components } = bill.parse(JSON.parse(text('usr/share/doc/ftpseal/sbom.cdx.json')));
  const shipped = readdirSync(path.join(tree, 'usr/lib/ftpseal/node_modules'), {
    recursive: true,
    encoding: 'utf8',
  })
    .filter((file) => /^(@[^/]+\/)?[^/@]+\/package\.json$/.test(file))
    .map((file) => path.dirname(file));
  const parts = new Set([...shipped, ...bundledParts(), 'node']);
  assert.deepEqual(components.map(({ name }) => name).sort(), [...parts].sort());
  const licences = text('usr/share/doc/ftpseal/THIRD-PARTY-LICENSES');
  for (const { name, version } of components) assert.ok(licences.includes(`\n${name} ${version}\n`), name);
});

test('the .rpm: files, owners, scripts; installed into a root and erased', async (t) => {
  const file = path.join(folder('one'), rpm);
  const query = (...words: readonly string[]) => must({}, ['rpm', '-qp', ...words, file]);
  assert.equal(
    await query('--configfiles'),
    '/etc/ftpseal/config.toml\n/etc/xdg/autostart/ftpseal.desktop\n',
  );
  const owners = await query('--queryformat', '[%{FILEUSERNAME}:%{FILEGROUPNAME}\n]');
  assert.deepEqual([...new Set(owners.trim().split('\n'))], ['root:root']);
  for (const script of ['preinstall', 'postinstall', 'preuninstall', 'postuninstall'])
    assert.match(await query('--scripts'), new RegExp(`^${script} scriptlet`, 'm'));
  const root = folder('rpm-root');
  // The scripts are for an RPM system with its own shell in the root; here only the files go in and out.
  const rpmIn = (...words: readonly string[]) =>
    run({}, ['rpm', '--root', root, '--nodeps', '--noscripts', ...words]);
  mkdirSync(path.join(root, 'var/lib/rpm'), { recursive: true });
  const installed = await rpmIn('-i', file);
  assert.equal(installed.code, 0, installed.stderr);
  assert.equal((await rpmIn('-V', 'ftpseal')).stdout, '');
  const erased = await rpmIn('-e', 'ftpseal');
  assert.equal(erased.code, 0, erased.stderr);
  const left = await must({}, ['find', root, '-name', '*ftpseal*']);
  t.diagnostic(`left after the erase: ${left.trim() || 'nothing'}`);
  assert.equal(left, '');
});
