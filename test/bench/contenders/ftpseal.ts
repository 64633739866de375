// ftpseal as people run it: the daemon with its redirect on the client's host, and a client that knows nothing of it.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { login } from '../../lab/harness/account.js';
import { run } from '../../lab/harness/command.js';
import type { LabServer } from '../../lab/harness/server.js';
import { stage } from '../../lab/harness/stage.js';
import { startProxy } from './restartable.js';
import type { Contender } from './contender.js';

/** Nobody is there to be asked, and a server has no desktop. */
const settings = '[trust]\nunknown = "accept-new"\nstore = "file"\n';

/** Starts the daemon on the host `namespace`; `folder` takes the program and its files. */
export async function startFtpseal(namespace: string, folder: string, server: LabServer): Promise<Contender> {
  mkdirSync(folder, { recursive: true });
  const config = path.join(folder, 'config.toml');
  writeFileSync(config, settings);
  const program = path.join(folder, 'program');
  await stage(program);
  const main = path.join(program, 'dist/daemon/main.js');
  const runtime = ['--runtime-dir', path.join(folder, 'run')];
  const argv = [
    ...[process.execPath, main, 'daemon', '--foreground', '--config', config],
    ...['--state-dir', path.join(folder, 'state'), ...runtime],
  ];
  const proxy = await startProxy({
    name: 'ftpseal',
    place: { namespace },
    argv,
    serves: async () => {
      const status = await run({ namespace }, [process.execPath, main, 'status', '--json', ...runtime]);
      return status.code === 0;
    },
    log: () => '',
  });
  return {
    name: 'ftpseal',
    namespace,
    address: server.address.ipv4,
    port: 21,
    user: login.user,
    tls: false,
    server,
    proxy,
    uploads: undefined,
  };
}
