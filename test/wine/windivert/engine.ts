// The redirect layer of Windows as a process under Wine that a test speaks to.
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { answerSchema, type EngineAnswer, type EngineRequest } from './protocol.js';
import type { StandInNetwork } from './stand-in.js';
import type { Wine } from '../harness/wine.js';
import type { WineProcess } from '../harness/wine-process.js';

export class Engine {
  readonly process: WineProcess;
  readonly #socket: net.Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: WineProcess, socket: net.Socket) {
    this.process = process;
    this.#socket = socket;
    socket.on('error', () => undefined);
    this.#lines = createInterface(socket)[Symbol.asyncIterator]();
  }

  /** `dll`: a file of this machine. */
  static async start(
    wine: Wine,
    network: StandInNetwork,
    dll: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Engine> {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    const port = typeof bound === 'object' ? bound?.port : undefined;
    const script = wine.guestScript('windivert-engine');
    const process = wine.start(wine.nodeArguments(script, [String(port), wine.windowsPath(dll)]), {
      env: { ...network.environment, ...environment },
    });
    const ended = process.ended.then(() => {
      throw new Error(`the engine has ended: ${process.stderr()}`);
    });
    const [socket] = (await Promise.race([once(server, 'connection'), ended])) as [net.Socket];
    ended.catch(() => undefined);
    server.close();
    return new Engine(process, socket);
  }

  /** One at a time. An engine that ends instead answers nothing: `{ error: 'gone' }`. */
  async ask(request: EngineRequest): Promise<EngineAnswer> {
    this.#socket.write(`${JSON.stringify(request)}\n`);
    const line = await this.#lines.next();
    return line.done === true ? { error: 'gone' } : answerSchema.parse(JSON.parse(line.value));
  }
}
