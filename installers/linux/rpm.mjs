// The staged tree as an RPM package, by rpmbuild.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listFiles, normalize } from '../common/tree.mjs';
import { configurationFiles, readOwn } from './stage.mjs';

/**
 * Writes `<out>/ftpseal-<version>-1.x86_64.rpm` from the tree `root`; returns the path. The same tree and time give the
 * same bytes.
 */
export function buildRpm(root, out, { version, time, compression }) {
  normalize(root, time);
  const folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-rpm-'));
  try {
    const spec = path.join(folder, 'ftpseal.spec');
    writeFileSync(spec, specification(root, { version, compression }));
    const options = ['-bb', '--quiet', '--nodeps', '--target', 'x86_64-linux'];
    execFileSync('rpmbuild', [...options, '--define', `_topdir ${folder}`, spec], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(time), TZ: 'UTC', LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [name] = readdirSync(path.join(folder, 'RPMS/x86_64'));
    const file = path.join(out, name);
    copyFileSync(path.join(folder, 'RPMS/x86_64', name), file);
    return file;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function specification(root, { version, compression }) {
  return `# Files are packed as they are: not stripped, not compiled, nothing guessed about what they need.
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
%global _buildhost localhost
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global _binary_payload ${compression === 'fast' ? 'w1.zstdio' : 'w6.xzdio'}
Name: ftpseal
Version: ${version.replaceAll('-', '~')}
Release: 1
Summary: Secures the outgoing FTP connections of this machine
License: MIT AND see THIRD-PARTY-LICENSES
AutoReqProv: no
Requires: glibc >= 2.28, libstdc++, libgcc, nftables, util-linux, shadow-utils
Provides: user(ftpseal), group(ftpseal)

%description
ftpseal takes every outgoing FTP connection of this machine and makes it FTPS:
encrypted, and with a server whose key is known. FTP programs stay as they are
and notice nothing. A tray icon asks about servers that are new.

%install
mkdir -p %{buildroot}
cp -a ${root}/. %{buildroot}/
rm -rf %{buildroot}/DEBIAN

${readOwn('rpm.scripts').trim()}

%files
${files(root)}
`;
}

/** Folders of ours alone are the package's; those of the system are not. */
function files(root) {
  const ours = ['/usr/lib/ftpseal', '/usr/share/doc/ftpseal'];
  const single = listFiles(root)
    .map((file) => `/${file}`)
    .filter((file) => !file.startsWith('/DEBIAN/') && !ours.some((folder) => file.startsWith(`${folder}/`)));
  const mark = (file) => (configurationFiles.includes(file.slice(1)) ? `%config(noreplace) ${file}` : file);
  return [
    '%defattr(-,root,root)',
    '%dir /etc/ftpseal',
    '%dir /etc/ftpseal/keys.d',
    ...ours,
    ...single.map(mark),
  ].join('\n');
}
