// A worker's line to the proxy's main thread: requests with answers, reports without. Every message in is checked.
import type { MessagePort } from 'node:worker_threads';
import { Fault } from '../../shared/fault.js';
import {
  toWorkerSchema,
  type FromWorker,
  type ToWorker,
  type WorkerAnswer,
  type WorkerRequest,
} from './messages.js';

type AnswerOf<K extends WorkerAnswer['kind']> = Extract<WorkerAnswer, { readonly kind: K }>;

interface Waiting {
  readonly resolve: (answer: WorkerAnswer) => void;
}

/** A message that does not fit the schema is a bug of the main thread and ends the worker. */
export class MainLink {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  #ids = 0;

  constructor(
    port: MessagePort,
    onMessage: (message: Exclude<ToWorker, { readonly kind: 'answer' | 'ping' }>) => void,
  ) {
    this.#port = port;
    port.on('message', (raw: unknown) => {
      const message = toWorkerSchema.parse(raw);
      if (message.kind === 'ping') {
        this.tell({ kind: 'pong', number: message.number });
        return;
      }
      if (message.kind !== 'answer') {
        onMessage(message);
        return;
      }
      this.#waiting.get(message.id)?.resolve(message.answer);
      this.#waiting.delete(message.id);
    });
  }

  /** From now on the line alone keeps no thread alive; it works as before. */
  release(): void {
    this.#port.unref();
  }

  /** Sends without expecting an answer. */
  tell(message: Exclude<FromWorker, { readonly kind: 'request' }>): void {
    this.#port.postMessage(message);
  }

  /** The answer of the kind that the request calls for; rejects with a Fault when the main thread could not answer. */
  async ask<K extends WorkerAnswer['kind']>(request: WorkerRequest, kind: K): Promise<AnswerOf<K>> {
    const id = (this.#ids += 1);
    const answer = await new Promise<WorkerAnswer>((resolve) => {
      this.#waiting.set(id, { resolve });
      const message: FromWorker = { kind: 'request', id, request };
      this.#port.postMessage(message);
    });
    if (isKind(answer, kind)) return answer;
    throw new Fault(
      'internal',
      answer.kind === 'failed' ? answer.sentence : 'an answer of the wrong kind came',
    );
  }
}

function isKind<K extends WorkerAnswer['kind']>(answer: WorkerAnswer, kind: K): answer is AnswerOf<K> {
  return answer.kind === kind;
}
