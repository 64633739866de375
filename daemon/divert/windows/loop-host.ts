// The main thread's side of a packet loop, whatever its source: starts the thread, speaks to it, ends it in order.
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import { Fault } from '../../../shared/fault.js';
import { fromLoopSchema } from './loop-messages.js';
import { OriginTable } from './origin-table.js';
import type { MessagePort } from 'node:worker_threads';
import type { AcceptedEnds, ConnectionOrigin, DivertPlan } from '../diverter.js';
import type { ToLoop } from './loop-messages.js';

/** What differs between sources. */
export interface LoopMeans {
  /** The thread's module; it calls `serveLoop`. */
  readonly entry: URL;
  /** What the thread is given beside its `port`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Makes a thread that waits for packets look at its port; a source that can't be woken looks before its next batch. */
  readonly wake: () => void;
  /** Ends the thread's wait for good; what is there is still carried out. */
  readonly release: () => void;
  /** Called when the thread has ended and was told to: closes what it used. */
  readonly close: () => void;
  /** The thread has ended without being told to. Nothing is closed, so that what should be intercepted stays blocked. */
  readonly onFailure: (fault: Fault) => void;
  /** By what the proxy's own connections to servers are known: by their user, or by ports that never reach the engine. */
  readonly ownBy: 'user' | 'port';
}

export class LoopHost {
  readonly #means: LoopMeans;
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #origins = new OriginTable();
  readonly #ended: Promise<void>;
  #isStopping = false;
  #isOver = false;

  constructor(means: LoopMeans) {
    this.#means = means;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(means.entry, {
      workerData: { ...means.data, port: port2 },
      transferList: [port2],
    });
    this.#port.on('message', (message) => {
      this.#origins.note(fromLoopSchema.parse(message));
    });
    // Neither keeps the process alive, and whatever ends it, the thread is released first: a thread inside a system call can't
    // be ended from outside, and the process would wait for it.
    this.#port.unref();
    this.#worker.unref();
    process.on('exit', this.#release);
    this.#ended = this.#watch();
  }

  /** True once the thread has ended, in order or not. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** To a loop that has ended it is dropped. */
  tell(message: ToLoop): void {
    if (this.#isOver) return;
    this.#port.postMessage(message);
    this.#means.wake();
  }

  /** From now on, and for every packet that is sent after this call, the engine follows this plan. */
  follow({ ports, proxyUid, workers, exemptUids, exemptNets, servers }: DivertPlan): void {
    const { ownBy } = this.#means;
    this.tell({ kind: 'plan', plan: { ports, proxyUid, ownBy, workers, exemptUids, exemptNets, servers } });
  }

  /** Where a connection that the proxy accepted was going; it does not expire from now on. */
  originOf(ends: AcceptedEnds): ConnectionOrigin | undefined {
    // The announcement was posted before the connection's first packet came in, so it is here, if not yet read.
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) break;
      this.#origins.note(fromLoopSchema.parse(received.message));
    }
    const opened = this.#origins.find(ends);
    if (opened === undefined) return undefined;
    this.tell({ kind: 'pin', id: opened.id });
    return { client: opened.client, server: opened.server, uid: opened.uid };
  }

  /** Resolves when every packet that was there has been carried out, the thread has ended and everything is closed. */
  async stop(): Promise<void> {
    this.#release();
    // Who waits for the thread must not end before it does, with nothing closed and no rule removed.
    this.#worker.ref();
    await this.#ended;
    this.#means.close();
  }

  readonly #release = (): void => {
    this.#isStopping = true;
    if (this.#isOver) return;
    this.tell({ kind: 'stop' });
    this.#means.release();
  };

  #watch(): Promise<void> {
    return new Promise((resolve) => {
      let cause: unknown;
      this.#worker.once('error', (error) => {
        cause = error;
      });
      this.#worker.once('exit', () => {
        this.#isOver = true;
        process.off('exit', this.#release);
        this.#port.close();
        resolve();
        if (!this.#isStopping) this.#means.onFailure(loopFault(cause));
      });
    });
  }
}

function loopFault(cause: unknown): Fault {
  const reason = cause instanceof Error ? cause.message : 'it ended';
  return new Fault(
    'redirect',
    `The packet engine has stopped (${reason}): FTP is blocked until it runs again.`,
    cause,
  );
}
