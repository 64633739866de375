// Numbers for monitoring over HTTP on a Unix socket of its own: `curl --unix-socket /run/ftpseal/metrics.sock http://localhost/metrics`.
// Root and the proxy's own user may ask; the kernel says who it is. One small answer for each connection, and nothing else.
import { createServer, type Server, type Socket } from 'node:net';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
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
/** From connect to the end of the answer. */
const TIMEOUT_MS = 5000;

/** See the head of the file. Not on Windows. */
export class MetricsServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #text: () => string;
  readonly #sockets = new Set<Socket>();
  #http: Promise<HttpServer> | undefined;

  private constructor(path: string, text: () => string) {
    this.#path = path;
    this.#text = text;
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
      this.#accept(socket);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** `text` gives the numbers as they are now. Rejects with a Fault if the socket can't be made. */
  static async listen(runtimeDir: string, text: () => string): Promise<MetricsServer> {
    const path = join(runtimeDir, METRICS_SOCKET);
    const metrics = new MetricsServer(path, text);
    try {
      await listenOnPath(metrics.#server, path);
    } catch (error) {
      throw error instanceof Fault ? error : new Fault('network', `The socket ${path} can’t be made.`, error);
    }
    return metrics;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    await rm(this.#path, { force: true });
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const tooLate = setTimeout(() => socket.destroy(), TIMEOUT_MS).unref();
    socket.once('close', () => {
      clearTimeout(tooLate);
      this.#sockets.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    // Node's HTTP brings its fetch along: 5 MB, and part of a start, for what most machines never ask.
    this.#http ??= httpServer(this.#text);
    void this.#http.then((server) => {
      if (socket.destroyed) return;
      server.emit('connection', socket);
      socket.resume();
    });
  }
}

/** Listens nowhere: it is handed its connections, and who hands them over ends them in time. */
async function httpServer(text: () => string): Promise<HttpServer> {
  const http = await import('node:http');
  return http.createServer({ maxHeaderSize: 4096, keepAlive: false }, (request, response) => {
    void answer(request, response, text);
  });
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
