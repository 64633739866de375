// One caller's connection: JSON-RPC framing, who it is, and the bounds on what it may make the daemon hold.
import type { Socket } from 'node:net';
import {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type Logger,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import type { z } from 'zod';
import { agentMethods, type AgentMethod, type AgentResult } from '../../shared/agent-messages.js';
import { Fault } from '../../shared/fault.js';
import {
  MAX_IPC_MESSAGE,
  type IpcNotification,
  type IpcNotificationParams,
} from '../../shared/ipc-messages.js';
import type { Actor } from './actor.js';
import type { FrameBudget } from './frame-budget.js';
import { FrameLimiter } from './frame-limiter.js';

/** More requests under way than any caller of ours has; a flood must not queue in memory. */
const maxOutstanding = 64;
/** A watcher that does not read what it asked for is cut when this many characters wait for it: thousands of events. */
const maxUnread = 4 * 1024 * 1024;

type AgentResults = { readonly [M in AgentMethod]: { readonly result: z.ZodType<AgentResult<M>> } };
const agentResults: AgentResults = agentMethods;

/** Handles one request; the result is sent as it is. A Fault becomes an error response with its code and sentence. */
export type RequestHandler = (method: string, params: unknown, channel: Channel) => Promise<unknown>;

const silent: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  log: () => undefined,
};

/** See the head of the file. Ends with its socket; a peer that breaks the protocol is cut without a word. */
export class Channel {
  readonly actor: Actor;
  readonly #socket: Socket;
  readonly #rpc: MessageConnection;
  readonly #closers = new Set<() => void>();
  readonly #followed = new Set<IpcNotification>();
  readonly #budget: FrameBudget;
  #outstanding = 0;
  /** Bytes of the requests since there was none under way. */
  #held = 0;
  /** Characters of notifications that the socket has not taken yet. */
  #unread = 0;

  constructor(socket: Socket, actor: Actor, budget: FrameBudget, handle: RequestHandler) {
    this.actor = actor;
    this.#socket = socket;
    this.#budget = budget;
    const limiter = new FrameLimiter(MAX_IPC_MESSAGE, (bytes) => {
      this.#began(bytes);
    });
    socket.pipe(limiter);
    limiter.on('error', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#end();
    });
    const reader = new StreamMessageReader(limiter);
    // Its timer for half a message arms itself again for ever, also after the caller was cut.
    reader.partialMessageTimeout = 0;
    this.#rpc = createMessageConnection(reader, new StreamMessageWriter(socket), silent, {
      maxParallelism: 4,
    });
    this.#rpc.onError(() => socket.destroy());
    this.#rpc.onRequest((method: string, params: unknown) => this.#answer(handle, method, params));
    this.#rpc.listen();
  }

  /** Sends a notification; one to a caller that has gone is dropped. */
  notify<N extends IpcNotification>(name: N, params: IpcNotificationParams<N>): void {
    if (this.#socket.destroyed) return;
    const size = JSON.stringify(params).length;
    // One event may be larger than the bound; what waits behind it may not.
    if (this.#unread > 0 && this.#unread + size > maxUnread) {
      this.#socket.destroy();
      return;
    }
    this.#unread += size;
    // The writer takes one message after the other, so what waits is with it and not in the socket.
    this.#rpc
      .sendNotification(name, params)
      .catch(() => undefined)
      .finally(() => {
        this.#unread -= size;
      });
  }

  /** Subscribes the caller to a notification until it has gone. Asked for again it changes nothing: each event is sent once. */
  follow(name: IpcNotification, subscribe: () => () => void): void {
    if (this.#followed.has(name)) return;
    this.#followed.add(name);
    this.onClose(subscribe());
  }

  /**
   * Asks the caller, who must be an agent. Rejects with a Fault of code `protocol` for an answer of unknown form, and of code
   * `store` with the agent's own sentence, or one that it has gone. Has no time-out: a caller that never answers keeps
   * one promise, so ask nothing more before it has.
   */
  async request<M extends AgentMethod>(
    method: M,
    params: z.input<(typeof agentMethods)[M]['params']>,
  ): Promise<AgentResult<M>> {
    if (this.#socket.destroyed) throw new Fault('store', 'The ftpseal tray has gone.');
    let raw: unknown;
    try {
      raw = await this.#rpc.sendRequest(method, params);
    } catch (error) {
      throw new Fault('store', isAnswer(error) ? error.message : 'The ftpseal tray has gone.', error);
    } finally {
      // The answer was a frame too.
      this.#ended();
    }
    const parsed = agentResults[method].result.safeParse(raw);
    if (parsed.success) return parsed.data;
    throw new Fault('protocol', 'The ftpseal tray answered in an unknown form.', parsed.error);
  }

  /** Runs when the caller has gone, at once if it has gone already. */
  onClose(close: () => void): void {
    if (this.#socket.destroyed) close();
    else this.#closers.add(close);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #answer(handle: RequestHandler, method: string, params: unknown): Promise<unknown> {
    try {
      return await handle(method, params, this);
    } catch (error) {
      return toResponseError(error);
    } finally {
      this.#ended();
    }
  }

  #began(bytes: number): void {
    this.#outstanding++;
    this.#held += bytes;
    const fits = this.#budget.claim(this.actor.uid, bytes);
    if (!fits || this.#outstanding > maxOutstanding) this.#socket.destroy();
  }

  #ended(): void {
    this.#outstanding--;
    if (this.#outstanding === 0) this.#release();
  }

  #release(): void {
    this.#budget.release(this.actor.uid, this.#held);
    this.#held = 0;
  }

  #end(): void {
    this.#release();
    for (const close of this.#closers) close();
    this.#closers.clear();
    this.#rpc.dispose();
  }
}

/** Whether the caller itself refused; else the connection failed. */
function isAnswer(error: unknown): error is ResponseError<unknown> {
  if (!(error instanceof ResponseError)) return false;
  return error.code !== ErrorCodes.MessageWriteError && error.code !== ErrorCodes.PendingResponseRejected;
}

function toResponseError(error: unknown): ResponseError<{ readonly code: string }> {
  const fault = Fault.from(error);
  const code = fault.code === 'protocol' ? ErrorCodes.InvalidParams : ErrorCodes.InternalError;
  return new ResponseError(code, fault.userMessage, { code: fault.code });
}
