// The staged tree as one setup program, by makensis.
import { execFileSync } from 'node:child_process';
import { lutimesSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesIn, listFiles } from '../common/tree.mjs';
import { compileHelper } from './helpers.mjs';
import { sign, signCommand } from './sign.mjs';

/**
 * Writes `<out>/ftpseal-<version>-setup.exe` from the tree `root`; returns the path. The same tree and time give the same
 * bytes, unless they are signed.
 */
export function buildSetup(root, out, { version, time, compression }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-nsis-'));
  try {
    const helper = path.join(folder, 'end-programs.exe');
    compileHelper('end-programs', helper, { hasConsole: true });
    sign(helper);
    lutimesSync(helper, time, time);
    const list = path.join(folder, 'files.nsh');
    writeFileSync(list, fileList(root));
    const file = path.join(out, `ftpseal-${version}-setup.exe`);
    const defines = {
      VERSION: version,
      FILE_VERSION: fileVersion(version),
      SIZE_KB: Math.ceil(bytesIn(root) / 1024),
      OUTPUT: file,
      FILES: list,
      END_PROGRAMS: helper,
      ...(compression === 'fast' ? { FAST: 1 } : {}),
      ...(signCommand() === undefined ? {} : { SIGN: signCommand() }),
    };
    const script = path.join(import.meta.dirname, 'ftpseal.nsi');
    const words = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
    execFileSync('makensis', ['-V2', '-WX', '-NOCD', '-INPUTCHARSET', 'UTF8', ...words, script], {
      cwd: root,
      env: { ...process.env, SOURCE_DATE_EPOCH: String(time), TZ: 'UTC', LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    sign(file);
    return file;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sorted; makensis would take a folder's files in the order in which the disk has them. */
function fileList(root) {
  let folder;
  const lines = listFiles(root).flatMap((file) => {
    const own = path.dirname(file);
    const put = `File "${file.replaceAll('$', '$$$$')}"`;
    if (own === folder) return [put];
    folder = own;
    return [
      `SetOutPath "$INSTDIR${own === '.' ? '' : `\\${own.replaceAll('/', '\\').replaceAll('$', '$$$$')}`}"`,
      put,
    ];
  });
  return `${lines.join('\n')}\n`;
}

/** Four numbers; what follows a hyphen has no place there. */
function fileVersion(version) {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (numbers === null) throw new Error(`--version is three numbers with points, not ${version}`);
  return `${numbers.slice(1).join('.')}.0`;
}
