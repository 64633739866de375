// Where the machine's own things are, by operating system.
import { join } from 'node:path';
import { commonData } from './windows/known-folders.js';

const isWindows = process.platform === 'win32';

/** Our part of Windows' folder for what programs keep for the whole machine. */
export function programData(): string {
  return join(commonData(), 'ftpseal');
}

export const defaultConfigPath = isWindows ? join(programData(), 'config.toml') : '/etc/ftpseal/config.toml';

export const machinePlaces = isWindows
  ? { stateDir: join(programData(), 'state'), runtimeDir: join(programData(), 'run') }
  : { stateDir: '/var/lib/ftpseal', runtimeDir: '/run/ftpseal' };
