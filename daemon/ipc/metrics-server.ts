// Numbers for monitoring over HTTP on a Unix socket of its own: `curl --unix-socket /run/ftpseal/metrics.sock http://localhost/metrics`.
// Root and the proxy's own user may ask; the kernel says who it is. One small answer for each connection, and nothing else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../shared/fault.js';
import { ownUser } from '../sys/own-user.js';
import { actorOf } from './actor.js';
import { METRICS_TYPE } from './metrics-text.js';
import { listenOnPath } from './socket-path.js';
import { unixTransport } from './unix-transport.js';

export const METRICS_SOCKET = 'metrics.sock';

/** A scraper asks a few times a minute. */
const MAX_CONNECTIONS = 16;
const TIMEOUT_MS = 5000;

/** See the head of the file. Not on Windows. */
export class MetricsServer {
  readonly #server: Server;
  readonly #path: string;

  private constructor(path: string, server: Server) {
    this.#path = path;
    this.#server = server;
  }

  /** `text` gives the numbers as they are now. Rejects with a Fault if the socket can't be made. */
  static async listen(runtimeDir: string, text: () => string): Promise<MetricsServer> {
    const path = join(runtimeDir, METRICS_SOCKET);
    const limits = {
      requestTimeout: TIMEOUT_MS,
      headersTimeout: TIMEOUT_MS,
      maxHeaderSize: 4096,
      keepAlive: false,
    };
    const server = createServer(limits, (request, response) => {
      void answer(request, response, text);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.setTimeout(TIMEOUT_MS, (socket) => {
      socket.destroy();
    });
    try {
      await listenOnPath(server, path);
    } catch (error) {
      throw error instanceof Fault ? error : new Fault('network', `The socket ${path} can’t be made.`, error);
    }
    return new MetricsServer(path, server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    await rm(this.#path, { force: true });
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, text: () => string): Promise<void> {
  const peer = await unixTransport.identify(request.socket, '');
  const end = (code: number, body: string, type = 'text/plain; charset=utf-8') => {
    response.writeHead(code, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close',
    });
    response.end(request.method === 'HEAD' ? '' : body);
  };
  if (peer === undefined || actorOf(peer, ownUser()).kind !== 'all')
    end(403, 'Only root may read the numbers of the whole machine.\n');
  else if (request.method !== 'GET' && request.method !== 'HEAD')
    end(405, 'There is nothing to change here.\n');
  else if (request.url !== '/metrics') end(404, 'The numbers are at /metrics.\n');
  else end(200, text(), METRICS_TYPE);
}
