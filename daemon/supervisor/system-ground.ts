// What a supervisor of this system stands on.
import { Fault } from '../../shared/fault.js';
import type { GroundOptions, SupervisorGround } from './supervisor-ground.js';

/** Makes folders and checks rights. Rejects with a Fault that says what is missing. */
export async function supervisorGround(options: GroundOptions): Promise<SupervisorGround> {
  if (process.platform === 'win32') return (await import('./windows-ground.js')).windowsGround(options);
  if (process.platform === 'darwin') throw new Fault('config', notOnMacos);
  return (await import('./linux-ground.js')).linuxGround(options);
}

/** A sentence, for `ftpseal doctor` too. */
export const notOnMacos =
  'The daemon can’t run on macOS yet: only the redirect layer is written, and no Mac has run it. See docs/macos.md.';
