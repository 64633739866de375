// The program as the lab runs it: copied to where the proxy's user and the clients can read it.
import path from 'node:path';
import { must } from './command.js';
import { repository } from './server.js';

/**
 * Copies the compiled program, its packages and the lab's client programs into `folder`. It runs from few files as it does where it is
 * installed; `unbundled`: from each module's own file, for who puts something into one.
 */
export async function stage(folder: string, form?: 'unbundled'): Promise<void> {
  const script = path.join(repository, 'installers/dev/stage.mjs');
  const flags = form === 'unbundled' ? ['--unbundled'] : [];
  await must({}, [process.execPath, script, folder, '--with-tests', ...flags]);
}
