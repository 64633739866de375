// The entry of a worker thread: it accepts intercepted connections and owns each of them, data connections included, from
// accept to close.
import { parentPort, workerData } from 'node:worker_threads';
import { Fault } from '../../shared/fault.js';
import type { AcceptedEnds, ConnectionOrigin } from '../divert/diverter.js';
import { prepareControl } from '../relay/server-control.js';
import { VirtualDataPorts } from '../relay/virtual-data-ports.js';
import { QuietTimes } from '../sys/quiet-times.js';
import { shareDescriptors } from '../sys/watched-descriptors.js';
import { sourcePorts, type SourcePorts } from '../sys/source-ports.js';
import { ExplicitFront } from './explicit-front.js';
import { listenAt, listenOnEach, listenOnRun } from './listeners.js';
import { MainLink } from './main-link.js';
import { RedirectFront } from './redirect-front.js';
import { redirectView } from './redirect-view.js';
import { SessionPool } from './session-pool.js';
import { workerBirthSchema, type WorkerData } from './worker-data.js';

/** Below what WorkerPool grants after the grace. */
const LAST_REPLIES_MS = 200;

type Loopback = Extract<WorkerData['listen'], { readonly kind: 'loopback' }>;

/** Of 12,000 connections in a minute the kernel renamed 4038 with one port for all, 25 with four, none with eight. */
const DATA_PORTS = 8;

async function main(): Promise<void> {
  if (parentPort === null) throw new Fault('internal', 'this file runs as a worker thread only');
  const { data, descriptors } = workerBirthSchema.parse(workerData);
  shareDescriptors(descriptors);
  const link = new MainLink(parentPort, (message) => {
    if (message.kind === 'closeSession') pool.close(message.id);
    else stop(message.graceMs);
  });
  const ports = data.sourcePorts === undefined ? undefined : sourcePorts(data.sourcePorts);
  // The kernel's rules tell the proxy's connections by user; what WinDivert captures can be told by port alone.
  const dataSourcePorts = data.config.divert.layer === 'nftables' ? undefined : ports;
  const quiet = new QuietTimes();
  const pool = new SessionPool({
    index: data.index,
    link,
    config: data.config,
    sourcePorts: ports,
    dataSourcePorts,
    onWork: () => {
      quiet.work();
    },
  });
  const close =
    data.listen.kind === 'loopback'
      ? await startRedirect(data, data.listen, link, pool, dataSourcePorts)
      : await startExplicit(data.listen.control, link, pool);
  // Reading the machine's authorities takes as long as many handshakes: not on the first session's time.
  setImmediate(() => {
    const { tls, trust } = data.config;
    prepareControl({ minVersion: tls.minVersion, furtherAuthorities: trust.authorities });
  });
  const stop = (graceMs: number): void => {
    close();
    void pool.drain(graceMs).then(() => {
      endThread(link);
    });
  };
}

// The thread ends with its last socket: that is when the last replies have reached their clients. One that takes nothing must not
// hold it: in a thread, `exit` ends the thread alone.
function endThread(link: MainLink): void {
  link.release();
  setTimeout(() => process.exit(0), LAST_REPLIES_MS).unref();
}

/** Returns what ends the listening; so does `startExplicit`. */
async function startRedirect(
  data: WorkerData,
  listen: Loopback,
  link: MainLink,
  pool: SessionPool,
  dataSourcePorts: SourcePorts | undefined,
): Promise<() => void> {
  if (data.virtual === undefined) throw new Fault('internal', 'a redirecting worker needs its virtual ports');
  const view = redirectView(data.config.divert, (ends) => askOrigin(link, ends));
  const control = await listenOnEach(view.listenOn, listen.range, undefined);
  const several = data.config.divert.layer === 'nftables' ? DATA_PORTS : 1;
  const channel = await listenOnRun(view.listenOn, listen.range, control.endpoints[0]?.port, several);
  const ports = new VirtualDataPorts({
    range: data.virtual,
    redirected: view,
    sourcePorts: dataSourcePorts,
    reserve: (address) => pool.reserve(address),
    onRefused: (message, peer) => {
      link.tell({ kind: 'log', level: 'warn', message, fields: { peer } });
    },
  });
  for (const server of channel.servers) ports.serve(server);
  const front = new RedirectFront({ pool, dataPorts: ports, view, config: data.config });
  for (const server of control.servers) server.on('connection', front.accept);
  link.tell({ kind: 'ready', control: [...control.endpoints], data: [...channel.endpoints] });
  return () => {
    for (const server of [...control.servers, ...channel.servers]) server.close();
    ports.stop();
  };
}

async function askOrigin(
  link: MainLink,
  { peer, local }: AcceptedEnds,
): Promise<ConnectionOrigin | undefined> {
  const { origin } = await link.ask({ kind: 'origin', peer, local }, 'origin');
  return origin === undefined ? undefined : { client: origin.client, server: origin.server, uid: origin.uid };
}

async function startExplicit(
  endpoints: Extract<WorkerData['listen'], { readonly kind: 'endpoints' }>['control'],
  link: MainLink,
  pool: SessionPool,
): Promise<() => void> {
  const front = new ExplicitFront(pool);
  const servers = await Promise.all(endpoints.map(listenAt));
  for (const server of servers) server.on('connection', front.accept);
  link.tell({ kind: 'ready', control: [...endpoints], data: [] });
  return () => {
    for (const server of servers) server.close();
  };
}

await main();
