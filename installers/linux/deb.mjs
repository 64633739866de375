// The staged tree as a Debian package, by dpkg-deb.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bytesIn, listFiles, normalize, put } from '../common/tree.mjs';
import { configurationFiles, readOwn } from './stage.mjs';

/** nft and its library change the rules, setpriv (util-linux) takes the proxy's rights, useradd (passwd) makes its user. */
const depends = 'libc6 (>= 2.28), libstdc++6, libgcc-s1, init-system-helpers, nftables, passwd, util-linux';

/**
 * Writes `<out>/ftpseal_<version>_amd64.deb` from the tree `root`, to which the control files are added; returns the path.
 * The same tree and time give the same bytes.
 */
export function buildDeb(root, out, { version, time, compression }) {
  const size = Math.ceil(bytesIn(root) / 1024);
  put(root, 'DEBIAN/md5sums', checksums(root));
  put(root, 'DEBIAN/control', control(version, size));
  put(root, 'DEBIAN/conffiles', configurationFiles.map((file) => `/${file}\n`).join(''));
  for (const script of ['postinst', 'prerm', 'postrm'])
    put(root, `DEBIAN/${script}`, readOwn(`deb.${script}`), 0o755);
  normalize(root, time);
  const file = path.join(out, `ftpseal_${version}_amd64.deb`);
  const packing = compression === 'fast' ? ['-Zzstd', '-z1'] : ['-Zxz', '--threads-max=1'];
  execFileSync('dpkg-deb', [...packing, '--root-owner-group', '--build', root, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return file;
}

function checksums(root) {
  const md5 = (file) =>
    createHash('md5')
      .update(readFileSync(path.join(root, file)))
      .digest('hex');
  return listFiles(root)
    .filter((file) => !configurationFiles.includes(file))
    .map((file) => `${md5(file)}  ${file}\n`)
    .join('');
}

function control(version, size) {
  return `Package: ftpseal
Version: ${version}
Architecture: amd64
Maintainer: the ftpseal authors <ftpseal@localhost>
Installed-Size: ${size}
Depends: ${depends}
Suggests: gnome-keyring, zenity, libayatana-appindicator3-1
Section: net
Priority: optional
Description: secures the outgoing FTP connections of this machine
 ftpseal takes every outgoing FTP connection of this machine and makes it FTPS:
 encrypted, and with a server whose key is known. FTP programs stay as they are
 and notice nothing. A tray icon asks about servers that are new.
 .
 The package brings its own Node.js and needs no network when it is installed.
`;
}
