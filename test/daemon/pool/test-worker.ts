// A worker thread for the pool's tests: real thread, real messages, and told by its first port what to do.
import { parentPort, resourceLimits, workerData } from 'node:worker_threads';
import type { FromWorker, SessionState, ToWorker } from '../../../daemon/pool/messages.js';
import { workerBirthSchema } from '../../../daemon/pool/worker-data.js';

const { data } = workerBirthSchema.parse(workerData);
const port = parentPort!;
const tell = (message: FromWorker) => {
  port.postMessage(message);
};
const first = data.listen.kind === 'loopback' ? data.listen.range.first : data.listen.control[0]!.port;
/** Ports 1 to 9 mean: never become ready. */
if (first < 10) throw new Error('cannot listen');

const loopback = '127.0.0.1' as never;
const session: SessionState = {
  id: 's',
  connection: {
    server: { address: loopback, port: 21 as never },
    client: { address: loopback, port: 40_000 as never },
  },
  startedAt: 0,
  phase: 'closed',
  protection: 'none',
  data: 'unknown',
  bytesUp: 0,
  bytesDown: 0,
  transfers: 0,
};
tell({
  kind: 'ready',
  control: [{ address: loopback, port: first }],
  data: [{ address: loopback, port: first }],
});

port.on('message', (message: ToWorker) => {
  if (message.kind === 'stop') process.exit(0);
  // closeSession is the test's way to make the worker act.
  if (message.kind === 'ping') tell({ kind: 'pong', number: message.number });
  if (message.kind === 'closeSession') act(message.id);
  if (message.kind === 'answer') {
    tell({ kind: 'log', level: 'info', message: JSON.stringify(message.answer), fields: {} });
  }
});

function act(what: string): void {
  if (what === 'die') throw new Error('told to die');
  if (what === 'hang') for (;;);
  if (what === 'limits') {
    tell({
      kind: 'log',
      level: 'info',
      message: 'limits',
      fields: { young: resourceLimits.maxYoungGenerationSizeMb ?? 0 },
    });
  }
  if (what === 'garbage') port.postMessage({ kind: 'no such kind' });
  if (what === 'reserve') tell({ kind: 'request', id: 7, request: { kind: 'reserve', address: loopback } });
  if (what === 'session') {
    tell({ kind: 'log', level: 'warn', message: 'from the worker', fields: { n: 1 } });
    tell({ kind: 'ended', state: session, reason: 'done' });
  }
}
