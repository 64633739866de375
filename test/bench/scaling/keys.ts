// The cost of known keys: a daemon that starts with so many of them, its start, its memory, and the logins at a server whose key is one.
import { chownSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { login } from '../../lab/harness/account.js';
import { sleep } from '../../lab/harness/command.js';
import { acceptNew, startDaemon, type Daemon } from '../../lab/harness/ftpseal.js';
import type { Lab } from '../../lab/harness/lab.js';
import type { LabServer } from '../../lab/harness/server.js';
import type { Contender } from '../ftp/contender.js';
import { drive, sessionArguments } from '../ftp/driver.js';
import { withCpu } from '../ftp/job.js';
import { memory } from '../process-tree.js';
import { median, quantile } from '../statistics.js';
import type { Entrant, Measured, Work } from '../work.js';
import { keysFolder, keyStore, stores, type StoreName } from './known-keys.js';
import type { ScalingSizes } from './sizes.js';
import type { ScalingContext } from './streams.js';

/** Where the daemons run, one after the other in the same folder. */
export interface KeysSite extends Entrant {
  readonly lab: Lab;
  readonly server: LabServer;
}

/** The metric of a point of a curve. */
export function keysName(store: StoreName, count: number): string {
  return `${store}-${count}`;
}

const daemonName = 'keys';

function start({ lab }: KeysSite): Promise<Daemon> {
  return startDaemon(lab, daemonName, acceptNew);
}

/** The first start makes the state folder, and gives it to the user who is to have the files in it. */
async function stateFolder(site: KeysSite): Promise<string> {
  const folder = path.join(site.lab.folder, `daemon-${daemonName}`, 'state');
  if (!existsSync(folder)) await (await start(site)).stop();
  return folder;
}

async function prepare(site: KeysSite, store: StoreName, count: number): Promise<void> {
  const state = await stateFolder(site);
  const file = path.join(state, 'keys.json');
  const given = path.join(path.dirname(state), 'keys.d');
  rmSync(file, { force: true });
  rmSync(given, { recursive: true, force: true });
  const server = { address: site.server.address.ipv4, certificate: site.server.certificate };
  if (store === 'keys.json') {
    const { uid, gid } = statSync(state);
    writeFileSync(file, keyStore(count, server), { mode: 0o600 });
    chownSync(file, uid, gid);
    return;
  }
  mkdirSync(given, { mode: 0o755 });
  for (const [name, text] of keysFolder(count, server)) writeFileSync(path.join(given, name), text);
}

async function measure(site: KeysSite, daemon: Daemon, { ground, sizes }: ScalingContext): Promise<Measured> {
  await sleep(sizes.settleMs);
  const { pss, rss } = memory([daemon.pid]);
  const contender: Contender = {
    name: site.name,
    namespace: site.lab.network.pc,
    address: site.server.address.ipv4,
    port: 21,
    user: login.user,
    protection: 'none',
    roots: () => [daemon.pid],
    log: () => daemon.log(),
    proxy: undefined,
    uploads: undefined,
  };
  const logins = (count: number) =>
    drive(ground, contender.namespace, 'entries', sessionArguments(contender, count));
  await logins(2);
  await sleep(sizes.afterLoginsMs);
  const { result, ownCpu = 0 } = await withCpu(contender, async () => {
    const done = await logins(sizes.logins);
    await sleep(sizes.afterLoginsMs);
    return done;
  });
  return {
    value: median(result.times) * 1e3,
    cpu: (ownCpu / sizes.logins) * 1000,
    clientCpu: (result.cpu / sizes.logins) * 1000,
    raw: { p90: quantile(result.times, 0.9) * 1e3, pss, rss, startMs: daemon.readyAfterMs ?? 0 },
  };
}

function known(store: StoreName, count: number): Work<KeysSite, ScalingContext> {
  return {
    metric: {
      name: keysName(store, count),
      title: `connect to 230, ${count} keys in ${store}`,
      unit: 'ms',
      better: 'less',
      cpuPer: '1000 logins',
    },
    obstacle: () => undefined,
    perform: async (site, context) => {
      await prepare(site, store, count);
      const daemon = await start(site);
      try {
        return await measure(site, daemon, context);
      } finally {
        await daemon.stop();
      }
    },
  };
}

/** All points, in the order in which a round does them. */
export function keysWork({ keys }: ScalingSizes): readonly Work<KeysSite, ScalingContext>[] {
  return keys.flatMap((count) => stores.map((store) => known(store, count)));
}
