// The unprivileged side of daemon/privops.ts: asks the supervisor and waits for its answers.
import { Socket } from 'node:net';
import { z } from 'zod';
import { Fault } from '../../shared/fault.js';
import type { Connection } from '../../shared/trust.js';
import type { AcceptedEnds, ConnectionOrigin, DivertedServer, WorkerPorts } from '../divert/diverter.js';
import {
  STOP_GRACE_MS,
  toProxySchema,
  type PrivopAnswer,
  type PrivopRequest,
  type RuleNews,
  type StartMessage,
  type ToSupervisor,
} from '../privops.js';

/** Well below what the supervisor takes for a runaway child. */
const maxInFlight = 128;

/** The 'ipc' channel to the parent, as `process` has it. */
export interface ParentChannel {
  send(message: ToSupervisor): void;
  onMessage(listener: (message: unknown, handle?: unknown) => void): void;
  onDisconnect(listener: () => void): void;
}

interface Waiting {
  readonly request: PrivopRequest;
  readonly resolve: (answer: PrivopAnswer, handle?: unknown) => void;
}

export interface LinkListener {
  /** The supervisor wants this process to end within the grace, or is gone. */
  readonly stop: (graceMs: number, reason: string) => void;
  readonly reload: () => void;
  /** Something happened to the redirect rules. */
  readonly rules?: (news: RuleNews) => void;
}

export class SupervisorLink {
  readonly #channel: ParentChannel;
  readonly #inFlight = new Map<number, Waiting>();
  readonly #queue: Waiting[] = [];
  readonly #listener: LinkListener;
  readonly start: Promise<StartMessage>;
  /** When the supervisor wants this process to end with its last session; resolves with the time that it has at most. */
  readonly retired: Promise<number>;
  #retire: (withinMs: number) => void = () => undefined;
  #lastId = 0;

  constructor(channel: ParentChannel, listener: LinkListener) {
    this.#channel = channel;
    this.#listener = listener;
    this.retired = new Promise((resolve) => {
      this.#retire = resolve;
    });
    this.start = new Promise((resolve) => {
      channel.onMessage((message, handle) => {
        this.#receive(message, handle, resolve);
      });
    });
    channel.onDisconnect(() => {
      this.#failAll();
      listener.stop(STOP_GRACE_MS, 'the supervisor has gone');
    });
  }

  /** Installs or replaces the redirect. Rejects with a Fault of code `redirect`. */
  async workersReady(workers: readonly WorkerPorts[]): Promise<void> {
    done(await this.#ask({ kind: 'workersReady', workers }));
  }

  async setServers(servers: readonly DivertedServer[]): Promise<void> {
    done(await this.#ask({ kind: 'setServers', servers }));
  }

  /** The program's name; undefined where it is not known, also when the supervisor does not answer. */
  async programOf({ client, server }: Connection): Promise<string | undefined> {
    const answer = await this.#ask({ kind: 'programOf', client, server });
    return answer.kind === 'program' ? answer.name : undefined;
  }

  /** Undefined also when the supervisor does not answer: the connection is refused then. */
  async originOf({ peer, local }: AcceptedEnds): Promise<ConnectionOrigin | undefined> {
    const answer = await this.#ask({ kind: 'originOf', peer, local });
    if (answer.kind !== 'origin' || answer.origin === undefined) return undefined;
    const { client, server, uid } = answer.origin;
    return { client, server, uid };
  }

  /** Not yet read from. Rejects with a Fault that says why there is nothing to listen to. */
  async openLookups(): Promise<Socket> {
    const { answer, handle } = await this.#exchange({ kind: 'lookups' });
    if (answer.kind === 'lookups' && handle instanceof Socket) return handle;
    throw new Fault(
      'network',
      answer.kind === 'failed' ? answer.sentence : 'The supervisor gave a wrong answer.',
    );
  }

  async #ask(request: PrivopRequest): Promise<PrivopAnswer> {
    return (await this.#exchange(request)).answer;
  }

  #exchange(request: PrivopRequest): Promise<{ readonly answer: PrivopAnswer; readonly handle: unknown }> {
    return new Promise((resolve) => {
      this.#queue.push({
        request,
        resolve: (answer, handle) => {
          resolve({ answer, handle });
        },
      });
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#inFlight.size < maxInFlight) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#lastId = (this.#lastId + 1) % 0xffff_ffff;
      this.#inFlight.set(this.#lastId, next);
      this.#channel.send({ id: this.#lastId, request: next.request });
    }
  }

  #receive(raw: unknown, handle: unknown, started: (message: StartMessage) => void): void {
    const parsed = toProxySchema.safeParse(raw);
    if (!parsed.success) {
      // The parent is trusted; what it says and we don't understand is two versions running together.
      this.#listener.stop(0, `the supervisor speaks another language: ${z.prettifyError(parsed.error)}`);
      return;
    }
    const message = parsed.data;
    if (message.kind === 'start') started(message);
    else if (message.kind === 'stop') this.#listener.stop(message.graceMs, 'asked by the supervisor');
    else if (message.kind === 'reload') this.#listener.reload();
    else if (message.kind === 'retire') this.#retire(message.withinMs);
    else if (message.kind === 'rulesRepaired' || message.kind === 'rulesLost')
      this.#listener.rules?.(message);
    else if (message.kind === 'ping') void this.#ask({ kind: 'pong', number: message.number });
    else {
      this.#inFlight.get(message.id)?.resolve(message.answer, handle);
      this.#inFlight.delete(message.id);
      this.#pump();
    }
  }

  #failAll(): void {
    const failed: PrivopAnswer = { kind: 'failed', sentence: 'The supervisor has gone.' };
    for (const waiting of [...this.#inFlight.values(), ...this.#queue]) waiting.resolve(failed);
    this.#inFlight.clear();
    this.#queue.length = 0;
  }
}

function done(answer: PrivopAnswer): void {
  if (answer.kind === 'done') return;
  throw new Fault(
    'redirect',
    answer.kind === 'failed' ? answer.sentence : 'The supervisor gave a wrong answer.',
  );
}
