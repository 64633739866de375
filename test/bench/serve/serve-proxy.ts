// `ftpseal serve` as it runs: an ordinary user's process with the log level that people have.
import { chownSync } from 'node:fs';
import path from 'node:path';
import { serverUid } from '../../lab/harness/account.js';
import { stageProgram } from '../../lab/harness/ftpseal.js';
import type { Lab } from '../../lab/harness/lab.js';
import type { Proxy } from '../ftp/contender.js';
import { isListening } from '../ftp/listening.js';
import { startProxy } from '../ftp/restartable.js';

/** Starts it on port 21 of `address`, in front of port 21 of `backend`, with these further options. */
export async function startServeProxy(
  lab: Lab,
  address: string,
  backend: string,
  more: readonly string[] = [],
): Promise<Proxy> {
  const program = path.join(await stageProgram(lab), 'dist/daemon/main.js');
  const certificate = await lab.certificate('bench-serve');
  chownSync(certificate.both, serverUid, serverUid);
  return startProxy({
    name: 'ftpseal serve',
    place: { namespace: lab.network.srv, uid: serverUid },
    argv: [
      ...[process.execPath, program, 'serve', '--listen', `${address}:21`, '--backend', `${backend}:21`],
      ...['--certificate', certificate.both, ...more],
    ],
    serves: () => isListening(lab.network.srv, 21, address),
    log: () => '',
  });
}
