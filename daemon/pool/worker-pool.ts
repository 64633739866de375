// The worker threads: started, listened to, and replaced when they die. Knows the messages and not their meaning.
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Endpoint } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { Heartbeat } from '../sys/heartbeat.js';
import {
  fromWorkerSchema,
  type FromWorker,
  type ToWorker,
  type WorkerAnswer,
  type WorkerRequest,
} from './messages.js';
import { steadyNow } from '../sys/steady-clock.js';
import { newDescriptorTable, silenceDescriptors } from '../sys/watched-descriptors.js';
import type { WorkerBirth, WorkerData } from './worker-data.js';

export interface ReadyPorts {
  readonly control: readonly Endpoint[];
  readonly data: readonly Endpoint[];
}

type LogMessage = Extract<FromWorker, { readonly kind: 'log' }>;
type BeganMessage = Extract<FromWorker, { readonly kind: 'began' }>;
type RequestMessage = Extract<FromWorker, { readonly kind: 'request' }>;
type SessionMessage = Extract<FromWorker, { readonly kind: 'session' }>;

/** What the pool tells its owner. `index` is the worker's place, which its replacement takes over. */
export interface PoolListener {
  /** Answers a request; a rejection becomes a `failed` answer with the Fault's sentence. */
  readonly request: (index: number, request: WorkerRequest) => Promise<WorkerAnswer>;
  /** The answer goes to the worker now. Not called when the worker has died meanwhile. */
  readonly answered: (index: number, request: WorkerRequest, answer: WorkerAnswer) => void;
  /** A server agreed to TLS. */
  readonly began: (server: BeganMessage['server']) => void;
  readonly session: (index: number, state: SessionMessage['state']) => void;
  readonly ended: (index: number, state: SessionMessage['state'], reason: string) => void;
  readonly log: (index: number, entry: LogMessage) => void;
  /** A worker died, with all its sessions. */
  readonly died: (index: number, reason: string) => void;
  /** A replacement listens, perhaps on other ports. Not called for the first workers: `start` returns theirs. */
  readonly replaced: (index: number, ports: ReadyPorts) => void;
}

export interface PoolOptions {
  readonly entry: URL;
  readonly workers: readonly WorkerData[];
  readonly listener: PoolListener;
  /** The pause before the first replacement; it doubles up to `most`. */
  readonly backoffMs?: { readonly first: number; readonly most: number };
  /** Between two questions whether a worker still answers. */
  readonly beatMs?: number;
}

interface Slot {
  readonly data: WorkerData;
  /** Of the worker that runs. */
  descriptors: SharedArrayBuffer;
  worker: Worker | undefined;
  ports: ReadyPorts | undefined;
  restarts: number;
  pauseMs: number;
  bornAt: number;
  retry: NodeJS.Timeout | undefined;
  /** Of the worker that is there, once it is ready. */
  heartbeat: Heartbeat | undefined;
}

/** A worker that cannot even listen in this time never will. */
const readyMs = 20_000;
/** A worker that lived this long did not die of its start: the pause begins anew. */
const settledMs = 60_000;
/** A worker that leaves six questions in a row without an answer, half a minute, hangs in some line of one connection. */
const defaultBeatMs = 5000;
const patience = 6;
const defaultBackoff = { first: 100, most: 30_000 };
/**
 * Megabytes of a worker's youngest objects, three halves of V8's new space. By itself that grows to 48 in a burst of logins, whose
 * sessions stay, and its pages are never given back. Two transfers' objects are a tenth of a megabyte.
 */
const youngMegabytes = 6;

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #slots: readonly Slot[];
  readonly #backoff: { readonly first: number; readonly most: number };
  readonly #beat: NodeJS.Timeout;
  #stopping = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#backoff = options.backoffMs ?? defaultBackoff;
    this.#slots = options.workers.map((data) => ({
      data,
      worker: undefined,
      ports: undefined,
      restarts: 0,
      pauseMs: this.#backoff.first,
      descriptors: newDescriptorTable(),
      bornAt: 0,
      retry: undefined,
      heartbeat: undefined,
    }));
    this.#beat = setInterval(() => {
      for (const slot of this.#slots) this.#ask(slot);
    }, options.beatMs ?? defaultBeatMs).unref();
  }

  /** Resolves with every worker's ports; rejects with a Fault, and no worker left, if one does not come up. */
  async start(): Promise<readonly ReadyPorts[]> {
    try {
      return await Promise.all(this.#slots.map((slot) => this.#spawn(slot)));
    } catch (error) {
      await this.stop(0);
      throw Fault.from(error);
    }
  }

  /** The ports of all workers, in order; undefined while one of them is being replaced. */
  ports(): readonly ReadyPorts[] | undefined {
    const ports = this.#slots.flatMap((slot) => slot.ports ?? []);
    return ports.length === this.#slots.length ? ports : undefined;
  }

  health(): readonly { readonly index: number; readonly alive: boolean; readonly restarts: number }[] {
    return this.#slots.map(({ ports, restarts }, index) => ({ index, alive: ports !== undefined, restarts }));
  }

  /** Sends to one worker; to a dead one it is dropped. */
  send(index: number, message: ToWorker): void {
    this.#slots[index]?.worker?.postMessage(message);
  }

  /** Tells every worker to stop within the grace, then ends those that are left. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#beat);
    await Promise.all(this.#slots.map((slot) => stopSlot(slot, graceMs)));
  }

  #ask(slot: Slot): void {
    if (slot.heartbeat?.beat() !== 'silent') return;
    slot.heartbeat = undefined;
    this.#cutOff(slot, 'a worker does not answer and is ended', `${patience} questions without an answer`);
  }

  #spawn(slot: Slot): Promise<ReadyPorts> {
    const birth: WorkerBirth = { data: slot.data, descriptors: newDescriptorTable() };
    slot.descriptors = birth.descriptors;
    const worker = new Worker(this.#options.entry, {
      workerData: birth,
      resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
    });
    slot.worker = worker;
    slot.bornAt = steadyNow();
    return new Promise((resolve, reject) => {
      const tooLate = setTimeout(() => {
        terminate(slot);
      }, readyMs);
      let failure = 'it ended';
      worker.on('message', (message: unknown) => {
        const ports = this.#receive(slot, worker, message);
        if (ports === undefined) return;
        clearTimeout(tooLate);
        resolve(ports);
      });
      worker.on('error', (error) => {
        failure = error.message;
      });
      worker.on('exit', (code) => {
        clearTimeout(tooLate);
        const reason = `worker ${slot.data.index} ended with code ${code}: ${failure}`;
        reject(
          new Fault('internal', `A worker thread could not be started (${failure}).`, new Error(reason)),
        );
        this.#buried(slot, reason);
      });
    });
  }

  /** Returns the ports if this was the message that tells them. */
  #receive(slot: Slot, worker: Worker, raw: unknown): ReadyPorts | undefined {
    if (slot.worker !== worker) return undefined;
    const parsed = fromWorkerSchema.safeParse(raw);
    if (!parsed.success) {
      this.#cutOff(slot, 'a worker broke the protocol', z.prettifyError(parsed.error));
      return undefined;
    }
    const message = parsed.data;
    if (message.kind === 'ready') {
      slot.ports = { control: message.control, data: message.data };
      slot.heartbeat = heartbeatOf(worker);
      return slot.ports;
    }
    if (message.kind === 'pong') slot.heartbeat?.heard(message.number);
    else this.#deliver(slot, worker, message);
    return undefined;
  }

  #deliver(
    slot: Slot,
    worker: Worker,
    message: Exclude<FromWorker, { readonly kind: 'ready' | 'pong' }>,
  ): void {
    const { listener } = this.#options;
    const { index } = slot.data;
    switch (message.kind) {
      case 'request':
        void this.#answer(slot, worker, message);
        break;
      case 'began':
        listener.began(message.server);
        break;
      case 'session':
        listener.session(index, message.state);
        break;
      case 'ended':
        listener.ended(index, message.state, message.reason);
        break;
      case 'log':
        listener.log(index, message);
        break;
    }
  }

  async #answer(slot: Slot, worker: Worker, { id, request }: RequestMessage): Promise<void> {
    const { listener } = this.#options;
    const { index } = slot.data;
    const answer = await listener
      .request(index, request)
      .catch((error: unknown): WorkerAnswer => ({ kind: 'failed', sentence: Fault.from(error).userMessage }));
    if (slot.worker !== worker) return;
    listener.answered(index, request, answer);
    const message: ToWorker = { kind: 'answer', id, answer };
    worker.postMessage(message);
  }

  /** A worker that says what is not in the contract, or nothing any more, is not one of ours. */
  #cutOff(slot: Slot, message: string, what: string): void {
    const entry: LogMessage = { kind: 'log', level: 'error', message, fields: { what } };
    this.#options.listener.log(slot.data.index, entry);
    terminate(slot);
  }

  #buried(slot: Slot, reason: string): void {
    const wasReady = slot.ports !== undefined || slot.restarts > 0;
    slot.worker = undefined;
    slot.ports = undefined;
    slot.heartbeat = undefined;
    if (this.#stopping || !wasReady) return;
    this.#options.listener.died(slot.data.index, reason);
    slot.restarts++;
    if (steadyNow() - slot.bornAt > settledMs) slot.pauseMs = this.#backoff.first;
    slot.retry = setTimeout(() => {
      this.#replace(slot);
    }, slot.pauseMs);
    slot.pauseMs = Math.min(slot.pauseMs * 2, this.#backoff.most);
  }

  #replace(slot: Slot): void {
    if (this.#stopping) return;
    this.#spawn(slot).then(
      (ports) => {
        this.#options.listener.replaced(slot.data.index, ports);
      },
      // Its burial has already arranged for the next try.
      () => undefined,
    );
  }
}

function heartbeatOf(worker: Worker): Heartbeat {
  const ask = (number: number): void => {
    const message: ToWorker = { kind: 'ping', number };
    worker.postMessage(message);
  };
  return new Heartbeat({ patience, ask });
}

/** A thread that is ended by force lets go of nothing itself. */
function terminate({ worker, descriptors }: Slot): void {
  if (worker === undefined) return;
  const closeDescriptors = silenceDescriptors(descriptors);
  void worker.terminate().then(closeDescriptors);
}

async function stopSlot(slot: Slot, graceMs: number): Promise<void> {
  clearTimeout(slot.retry);
  const { worker } = slot;
  if (worker === undefined) return;
  await new Promise<void>((resolve) => {
    const stop: ToWorker = { kind: 'stop', graceMs };
    const killer = setTimeout(() => {
      terminate(slot);
    }, graceMs + 500);
    worker.once('exit', () => {
      clearTimeout(killer);
      resolve();
    });
    worker.postMessage(stop);
  });
}
