// What `ftpseal doctor` looks at on Windows in place of Linux' tools and users.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../../shared/fault.js';
import { windivertDll } from '../../divert/redirect-layer.js';
import { isServiceRunning } from '../../service/service-control.js';
import { machinePlaces } from '../../sys/usual-places.js';
import { fileSecurity } from '../../sys/windows/file-security.js';
import type { Finding } from './checks.js';

const reinstall =
  'install ftpseal again; if a virus scanner took the file away, tell it to leave ftpseal alone';

/** The driver's two files, beside the program. */
export function checkDriverFiles(): Finding {
  const dll = fileURLToPath(windivertDll);
  const files = [dll, join(dll, '..', 'WinDivert64.sys')];
  const missing = files.find((file) => !existsSync(file));
  return missing === undefined
    ? { check: 'driver', state: 'ok', text: dll }
    : { check: 'driver', state: 'fail', text: `${missing} is missing`, todo: reinstall };
}

/** Only an administrator may ask the service manager for all that is asked here; for others the daemon's own answer has to do. */
export function checkService(): readonly Finding[] {
  try {
    const running = isServiceRunning();
    if (running === true) return [{ check: 'service', state: 'ok', text: 'runs' }];
    const text = running === undefined ? 'is not installed' : 'does not run';
    const todo = `as an administrator: ftpseal service ${running === undefined ? 'install' : 'start'}`;
    return [{ check: 'service', state: 'fail', text, todo }];
  } catch (error) {
    if (Fault.from(error).code === 'not-permitted') return [];
    throw error;
  }
}

/** Whoever else could write there could put keys of their own in. */
export function checkStateFolder(): readonly Finding[] {
  const rights = fileSecurity(machinePlaces.stateDir);
  if (rights === undefined) return [];
  const isOpen = /\(A;[^;]*;[^;]*(?:FA|GA|GW|FW|0x1f01ff|0x1301bf)[^;]*;;;(?:BU|WD|AU|IU)\)/.test(rights);
  return [
    isOpen
      ? {
          check: 'state folder',
          state: 'fail',
          text: `other users may change ${machinePlaces.stateDir}`,
          todo: 'restart the service, which sets the rights anew',
        }
      : { check: 'state folder', state: 'ok', text: `${machinePlaces.stateDir} is the machine’s alone` },
  ];
}
