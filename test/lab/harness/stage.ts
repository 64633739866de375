// The program as the lab runs it: copied to where the proxy's user and the clients can read it.
import path from 'node:path';
import { must } from './command.js';
import { repository } from './server.js';

/** Copies the compiled program, its packages and the lab's client programs into `folder`. */
export async function stage(folder: string): Promise<void> {
  const script = path.join(repository, 'installers/dev/stage.mjs');
  await must({}, [process.execPath, script, folder, '--with-tests']);
}
