// WinDivert's driver as Windows knows it: a service that the DLL makes at its first opening, and that stays loaded after the last
// handle is closed. Another program may have brought a WinDivert of its own: that one is left alone.
import { execFile } from 'node:child_process';
import { win32 } from 'node:path';
import { Fault } from '../../../shared/fault.js';

const SERVICE = 'WinDivert';
const DRIVER = 'WinDivert64.sys';
/** Of `sc delete`: the service does not exist, is marked for deletion already. */
const harmless = [1060, 1072];

/**
 * Unloads the driver of `folder` and removes its service; does nothing if there is none. Needs administrator rights; rejects with a
 * Fault of code `redirect`.
 */
export async function removeDriver(folder: string): Promise<void> {
  const key = `HKLM\\SYSTEM\\CurrentControlSet\\Services\\${SERVICE}`;
  const asked = await runSystem('reg.exe', ['query', key, '/v', 'ImagePath']);
  if (!isDriverOf(folder, asked.stdout)) return;
  // One that does not run can't be stopped; one that can't be stopped is removed when Windows starts again.
  await runSystem('sc.exe', ['stop', SERVICE]);
  const { code, stdout } = await runSystem('sc.exe', ['delete', SERVICE]);
  if (code === 0 || harmless.includes(code)) return;
  throw new Fault(
    'redirect',
    `The driver of WinDivert can’t be removed (sc delete: ${code}). Run this as an administrator.`,
    new Error(stdout.slice(0, 2000)),
  );
}

/** Whether what `reg query` says names the driver in this folder. */
export function isDriverOf(folder: string, answer: string): boolean {
  const value = /ImagePath\s+REG_\w+\s+(.+)/.exec(answer)?.[1] ?? '';
  const file = value
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .replace(/^\\\?\?\\/, '');
  return file.toLowerCase() === win32.join(folder, DRIVER).toLowerCase();
}

function runSystem(
  name: string,
  argv: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string }> {
  const file = win32.join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', name);
  return new Promise((resolve) => {
    execFile(file, argv, { windowsHide: true }, (error, stdout) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout });
    });
  });
}
