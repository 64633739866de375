// ftpseal as people run it: the daemon with its redirect on the client's host, and a client that knows nothing of it.
import { login } from '../../lab/harness/account.js';
import { acceptNew, startDaemon, type Daemon } from '../../lab/harness/ftpseal.js';
import type { Lab } from '../../lab/harness/lab.js';
import type { LabServer } from '../../lab/harness/server.js';
import type { Contender, Proxy } from '../ftp/contender.js';
import { ownNode } from '../own-node.js';
import type { OtherBuild } from '../section.js';

/** Where it runs, and which build. */
export interface FtpsealPlace {
  readonly name: string;
  readonly namespace: string;
  readonly build: OtherBuild | undefined;
  /** Instead of the one that accepts new keys. */
  readonly config?: string;
}

/** Starts the daemon on the host `namespace`. */
export async function startFtpseal(
  lab: Lab,
  { name, namespace, build, config = acceptNew }: FtpsealPlace,
  server: LabServer,
): Promise<Contender> {
  const program = build?.program;
  const options = {
    namespace,
    node: ownNode(lab, name, build?.node),
    ...(program === undefined ? {} : { program }),
  };
  const start = (): Promise<Daemon> => startDaemon(lab, name, config, options);
  let daemon = await start();
  const proxy: Proxy = {
    pid: () => daemon.pid,
    restart: async () => {
      await daemon.stop();
      daemon = await start();
    },
    readyAfterMs: () => daemon.readyAfterMs,
    stop: () => daemon.stop(),
    log: () => daemon.log(),
  };
  return {
    name,
    namespace,
    address: server.address.ipv4,
    port: 21,
    user: login.user,
    protection: 'none',
    roots: () => [daemon.pid],
    log: () => daemon.log(),
    proxy,
    uploads: undefined,
  };
}
