// The caller's side of IPC, for the command line and the tray. The daemon may ask back, if the caller handles that.
import type { Socket } from 'node:net';
import {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import type { z } from 'zod';
import {
  agentMethods,
  type AgentMethod,
  type AgentParams,
  type AgentResult,
} from '../../shared/agent-messages.js';
import { Fault, type FaultCode } from '../../shared/fault.js';
import {
  ipcErrorSchema,
  ipcMethods,
  ipcNotifications,
  MAX_IPC_MESSAGE,
  type IpcMethod,
  type IpcNotification,
  type IpcNotificationParams,
  type IpcResult,
} from '../../shared/ipc-messages.js';
import { FrameLimiter } from './frame-limiter.js';
import { howToStart } from '../sys/platform-words.js';
import { socketPath } from './socket-path.js';
import { ipcTransport } from './system-transport.js';

type Results = { readonly [M in IpcMethod]: { readonly result: z.ZodType<IpcResult<M>> } };
type AgentSpecs = {
  readonly [M in AgentMethod]: { readonly params: z.ZodType<AgentParams<M>> };
};
const agentSpecs: AgentSpecs = agentMethods;
type Notifications = { readonly [N in IpcNotification]: z.ZodType<IpcNotificationParams<N>> };
const results: Results = ipcMethods;
const notifications: Notifications = ipcNotifications;

/** What a caller passes: the schema's input, so that defaults and brands are made on the other side. */
type ParamsInput<M extends IpcMethod> = z.input<(typeof ipcMethods)[M]['params']>;

const silent = { error: ignore, warn: ignore, info: ignore, log: ignore };

export class DaemonClient {
  /** Resolves when the daemon has gone or the connection was closed. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #rpc: MessageConnection;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const limiter = new FrameLimiter(MAX_IPC_MESSAGE, ignore);
    socket.pipe(limiter);
    limiter.on('error', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    const reader = new StreamMessageReader(limiter);
    // Its timer for half a message arms itself again for ever, also after the daemon has gone.
    reader.partialMessageTimeout = 0;
    this.#rpc = createMessageConnection(reader, new StreamMessageWriter(socket), silent);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#rpc.dispose();
        resolve();
      });
    });
    this.#rpc.onError(() => socket.destroy());
    this.#rpc.listen();
  }

  /** Rejects with a Fault of code `no-daemon` if nothing answers in the runtime directory. */
  static async connect(runtimeDir: string): Promise<DaemonClient> {
    const path = socketPath(runtimeDir);
    const transport = await ipcTransport();
    try {
      return new DaemonClient(await transport.open(path));
    } catch (error) {
      throw noDaemon(path, error);
    }
  }

  /** Rejects with the Fault that the daemon gave, or one of code `no-daemon` if it went away meanwhile. */
  async request<M extends IpcMethod>(method: M, params: ParamsInput<M>): Promise<IpcResult<M>> {
    let raw: unknown;
    try {
      raw = await this.#rpc.sendRequest(method, params);
    } catch (error) {
      throw toFault(error);
    }
    const parsed = results[method].result.safeParse(raw);
    if (parsed.success) return parsed.data;
    throw new Fault(
      'protocol',
      'The daemon answered in an unknown form; is it of another version?',
      parsed.error,
    );
  }

  /** Call it before the request that starts the notifications. */
  on<N extends IpcNotification>(name: N, listener: (params: IpcNotificationParams<N>) => void): void {
    this.#rpc.onNotification(name, (raw: unknown) => {
      const parsed = notifications[name].safeParse(raw);
      if (parsed.success) listener(parsed.data);
    });
  }

  /** Answers what the daemon asks; a Fault's sentence goes to the daemon. Call it before `agent.register`. */
  handle<M extends AgentMethod>(
    method: M,
    handler: (params: AgentParams<M>) => Promise<AgentResult<M>>,
  ): void {
    this.#rpc.onRequest(method, async (raw: unknown) => {
      const parsed = agentSpecs[method].params.safeParse(raw);
      if (!parsed.success) return new ResponseError(ErrorCodes.InvalidParams, 'Wrong parameters.');
      try {
        return await handler(parsed.data);
      } catch (error) {
        return new ResponseError(ErrorCodes.InternalError, Fault.from(error).userMessage);
      }
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

function ignore(): void {
  // Nothing to tell: what matters comes as errors of requests.
}

function noDaemon(path: string, cause: unknown): Fault {
  return new Fault('no-daemon', `No ftpseal daemon answers on ${path}. ${howToStart}`, cause);
}

const codes: readonly FaultCode[] = [
  'usage',
  'config',
  'not-permitted',
  'missing-tool',
  'redirect',
  'store',
  'key',
  'network',
  'protocol',
  'internal',
];

function toFault(error: unknown): Fault {
  if (!(error instanceof ResponseError)) {
    return new Fault('no-daemon', 'The ftpseal daemon went away before it answered.', error);
  }
  const data = ipcErrorSchema.safeParse(error.data);
  const code = codes.find((known) => data.success && known === data.data.code);
  return new Fault(code ?? 'internal', error.message, error);
}
