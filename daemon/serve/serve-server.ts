// All sessions of one server proxy process: accepts connections, gives each its session, and ends them.
import { createServer, type Server, type Socket } from 'node:net';
import {
  familyOf,
  parseEndpoint,
  parseIpAddress,
  formatEndpoint,
  type Endpoint,
} from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { ownReply } from '../ftp/sentences.js';
import type { ServerFact } from '../ftp/effects.js';
import { endWith } from '../relay/farewell.js';
import { dialServer } from '../relay/upstream.js';
import type { Log } from '../sys/log.js';
import type { Credentials } from './credentials.js';
import { ServeDataPorts } from './data-ports.js';
import { formatProxyHeader } from './proxy-header.js';
import { HandshakeTurns } from './handshake-turns.js';
import type { SafetpOffer } from './safetp-offer.js';
import { tlsWordsOf, type ServeConfig } from './serve-config.js';
import { ServeDriver } from './serve-driver.js';
import { steadyNow } from '../sys/steady-clock.js';
import type { ServeContext } from './session/policy.js';

/** Connections that the kernel keeps until they are accepted. */
const BACKLOG = 511;
/** Milliseconds between looks whether the last sessions have come to rest. */
const REST_LOOK_MS = 100;

export interface ServeServerOptions {
  readonly config: ServeConfig;
  /** Undefined where TLS is not offered. */
  readonly credentials: Credentials | undefined;
  /** Undefined where X-SafeTP1 is not offered. */
  readonly safetp: SafetpOffer | undefined;
  readonly log: Log;
}

/** A listening socket: an address, or one that was opened by whoever started us. */
export type ListenOn =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint; readonly implicit: boolean }
  | { readonly kind: 'descriptor'; readonly fd: number; readonly implicit: boolean };

export class ServeServer {
  readonly #options: ServeServerOptions;
  readonly #listeners: Server[] = [];
  readonly #drivers = new Map<number, ServeDriver>();
  readonly #facts = new Set<ServerFact>();
  readonly #turns = new HandshakeTurns();
  #count = 0;
  #onEmpty: () => void = () => undefined;

  constructor(options: ServeServerOptions) {
    this.#options = options;
  }

  /** Rejects with a Fault that says why the port can't be had. */
  listen(on: ListenOn): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    this.#listeners.push(server);
    server.on('connection', (socket) => {
      this.take(socket, on.implicit);
    });
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        reject(listenFault(on, error));
      });
      const ready = (): void => {
        server.removeAllListeners('error');
        // What fails later (too many files) is one connection's matter.
        server.on('error', (error) => {
          this.#options.log.error('a connection could not be accepted', { reason: error.message });
        });
        resolve();
      };
      if (on.kind === 'descriptor') server.listen({ fd: on.fd }, ready);
      else {
        const { address, port } = on.endpoint;
        server.listen({ host: address, port, backlog: BACKLOG, ipv6Only: familyOf(address) === 6 }, ready);
      }
    });
  }

  /** Serves one connection, paused and not read by anyone. */
  take(socket: Socket, implicit: boolean): void {
    socket.on('error', () => undefined);
    const client = endpointOf(socket.remoteAddress, socket.remotePort);
    const own = endpointOf(socket.localAddress, socket.localPort);
    if (client === undefined || own === undefined) {
      socket.destroy();
      return;
    }
    if (this.#drivers.size >= this.#options.config.maxSessions) {
      this.#options.log.warn('refused: there are too many sessions (serve.max_sessions)', {
        client: formatEndpoint(client),
      });
      endWith(socket, ownReply(421, 'too many people are connected to this server; try again later.'));
      return;
    }
    this.#start(socket, { client, own, implicit });
  }

  /** Settles when no session is left. */
  get empty(): Promise<void> {
    if (this.#drivers.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** Accepts no more; sessions that have something under way get `graceMs` for it. */
  async stop(graceMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    const deadline = steadyNow() + graceMs;
    for (;;) {
      for (const driver of [...this.#drivers.values()]) if (driver.atRest) driver.close('ftpseal stops');
      if (this.#drivers.size === 0 || steadyNow() >= deadline) break;
      await new Promise((resolve) => setTimeout(resolve, REST_LOOK_MS));
    }
    for (const driver of [...this.#drivers.values()]) driver.close('ftpseal stops');
  }

  #start(
    socket: Socket,
    {
      client,
      own,
      implicit,
    }: { readonly client: Endpoint; readonly own: Endpoint; readonly implicit: boolean },
  ): void {
    const { config, credentials, log } = this.#options;
    this.#count += 1;
    const id = this.#count;
    const name = { session: id, client: formatEndpoint(client) };
    // What is read now counts for the next connection: nobody waits for the files.
    void credentials?.refresh();
    const driver = new ServeDriver({
      client: socket,
      context: this.#contextOf(client, own, implicit),
      terms: credentials?.terms(),
      turns: this.#turns,
      requireSessionReuse: config.requireSessionReuse,
      dataPorts: new ServeDataPorts({
        own,
        publicAddress: config.publicAddress,
        range: config.passivePorts,
      }),
      dial: () => this.#dial(client, own),
      remember: (fact) => this.#facts.add(fact),
      onSecured: ({ protocol, cipher, certificate }) => {
        const shown = certificate === undefined ? {} : { certificate };
        log.debug('encrypted', { ...name, protocol, cipher, ...shown });
      },
      onEnd: (reason, view) => {
        this.#drivers.delete(id);
        const { secured = 'no', transfers, cut } = view;
        log.info('session ended', { ...name, encrypted: secured, transfers, cut, reason });
        if (this.#drivers.size === 0) this.#onEmpty();
      },
    });
    this.#drivers.set(id, driver);
    log.info('session', name);
    driver.start();
  }

  #contextOf(client: Endpoint, own: Endpoint, implicit: boolean): ServeContext {
    const { config, safetp } = this.#options;
    const { mechanisms, require, dataDefault } = config;
    return {
      policy: { require, mechanisms, words: tlsWordsOf(mechanisms), dataDefault },
      safetp: safetp?.terms(own.address),
      backend: config.backend,
      client,
      implicit,
      noEpsv: this.#facts.has('noEpsv'),
      passiveProven: this.#facts.has('passiveWorks'),
    };
  }

  async #dial(client: Endpoint, own: Endpoint): Promise<Socket> {
    const { backend, backendProxyProtocol } = this.#options.config;
    const socket = await dialServer(backend, undefined);
    const header = formatProxyHeader(backendProxyProtocol, { client, server: own });
    if (header.length > 0) socket.write(header);
    return socket;
  }
}

/** IPv6 sockets name IPv4 peers in mapped form, and link-local ones with a zone. */
function endpointOf(address: string | undefined, port: number | undefined): Endpoint | undefined {
  const canonical = parseIpAddress(address?.replace(/%.*$/, ''));
  return canonical === undefined ? undefined : parseEndpoint(`[${canonical}]:${port ?? 0}`);
}

function listenFault(on: ListenOn, error: Error): Fault {
  const where = on.kind === 'endpoint' ? formatEndpoint(on.endpoint) : `descriptor ${on.fd}`;
  const code = 'code' in error ? String(error.code) : '';
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE:
      'another program listens there; the FTP server itself has to move to another port (serve.backend)',
    EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  return new Fault('network', `Can't listen on ${where}: ${why[code] ?? error.message}.`, error);
}
