// Data connections through the redirect layer: virtual ports on the server's own address, and active connections that seem
// to come from there (ARCHITECTURE.md section 2).
import type { Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  formatEndpoint,
  portCount,
  type Endpoint,
  type IpAddress,
  type Port,
  type PortRange,
} from '../../shared/endpoint.js';
import { parsePort } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { acceptPending } from '../sys/pending-connections.js';
import type { SourcePorts } from '../sys/source-ports.js';
import type { ConnectionOrigin } from '../divert/diverter.js';
import type { ClientDataPorts, DataOwner, Offer } from './client-data-ports.js';
import { relayRaw } from './raw-relay.js';
import { dialData, dialServer, type LocalEnd } from './upstream.js';

const PAIR_ATTEMPTS = 6;
const PAIR_RETRY_MS = 300;

interface Expected {
  readonly owner: DataOwner;
  readonly onSocket: (socket: Socket) => void;
}

/** Where to dial, and from where. */
export interface ActiveRoute {
  readonly to: Endpoint;
  readonly from: LocalEnd;
}

/** A redirected connection as the proxy took it. */
export interface AcceptedOrigin extends ConnectionOrigin {
  /** It came from another host that this machine routes for. */
  readonly forwarded: boolean;
}

/** What the redirect layer knows of the connections that it sends here, and of those that seem to come from servers. */
export interface RedirectedConnections {
  /** Undefined for a connection that was made to the proxy itself. */
  originOf(accepted: Socket): Promise<AcceptedOrigin | undefined>;
  /** How to reach the client's data port `to` so that the owner's server, port 20, seems to call. */
  activeRoute(owner: DataOwner, to: Endpoint, activePort: Port): ActiveRoute;
}

/** What the class needs of the redirect layer and of the person who reads the log. */
export interface VirtualDataPortsOptions {
  readonly range: PortRange;
  readonly redirected: RedirectedConnections;
  /** Resolves when the redirect layer knows the server; the port is the one for active connections. */
  readonly reserve: (address: IpAddress) => Promise<Port | undefined>;
  readonly onRefused: (reason: string, peer: string) => void;
  /** Where connections to servers come from; undefined: any port. */
  readonly sourcePorts: SourcePorts | undefined;
}

/** One worker's share of the virtual ports; the worker's data listeners are given to `serve`. */
export class VirtualDataPorts implements ClientDataPorts {
  readonly #options: VirtualDataPortsOptions;
  readonly #expected = new Map<string, Expected>();
  #next = 0;
  #stopped = false;

  constructor(options: VirtualDataPortsOptions) {
    this.#options = options;
  }

  /** Takes the connections that the redirect layer sends to this listener. */
  serve(listener: Server): void {
    listener.on('connection', (socket: Socket) => {
      void this.#accept(socket);
      // All at once: a small upload may be over, and its owner not to be found any more, when Node takes the next one.
      for (const further of acceptPending(listener)) void this.#accept(further);
    });
  }

  /** From now on no port is offered: the redirect is going, and what a client sent there would reach whoever answers. */
  stop(): void {
    this.#stopped = true;
  }

  async offer(owner: DataOwner, onSocket: (socket: Socket) => void): Promise<Offer> {
    await this.#options.reserve(owner.server.address);
    if (this.#stopped) throw new Fault('redirect', 'ftpseal is stopping');
    const endpoint = this.#freeEndpoint(owner.server.address);
    const key = formatEndpoint(endpoint);
    const expected: Expected = { owner, onSocket };
    this.#expected.set(key, expected);
    return {
      endpoint,
      withdraw: () => {
        if (this.#expected.get(key) === expected) this.#expected.delete(key);
      },
    };
  }

  async connect(owner: DataOwner, to: Endpoint): Promise<Socket> {
    const activePort = await this.#options.reserve(owner.server.address);
    const route: ActiveRoute =
      activePort === undefined
        ? { to, from: {} }
        : this.#options.redirected.activeRoute(owner, to, activePort);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await dialData(route.to, route.from);
      } catch (error) {
        // A client that always listens at the same port: the kernel gives the pair of ports free a second after its last use.
        if (attempt === PAIR_ATTEMPTS || !isPairInUse(error)) throw error;
        await sleep(PAIR_RETRY_MS);
      }
    }
  }

  /** Round-robin, so that a port is not used again while the client's last connection to it lingers. */
  #freeEndpoint(address: IpAddress): Endpoint {
    const { range } = this.#options;
    const count = portCount(range);
    for (let tried = 0; tried < count; tried += 1) {
      const port = parsePort(range.first + this.#next);
      this.#next = (this.#next + 1) % count;
      if (port !== undefined && !this.#expected.has(formatEndpoint({ address, port })))
        return { address, port };
    }
    throw new Fault('network', 'all ports for data connections are in use');
  }

  /** Never rejects. */
  async #accept(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    const peerAddress = socket.remoteAddress ?? '?';
    const origin = await this.#options.redirected.originOf(socket).catch(() => undefined);
    if (origin === undefined) {
      this.#options.onRefused('a data connection was made to the proxy itself', peerAddress);
      socket.destroy();
      return;
    }
    const expected = this.#expected.get(formatEndpoint(origin.server));
    if (expected === undefined) {
      void relayUntouched(socket, origin.server, this.#options.sourcePorts);
    } else if (isOwner(origin, expected.owner)) {
      socket.removeAllListeners('error');
      expected.onSocket(socket);
    } else {
      this.#options.onRefused('a data connection of somebody else was refused', peerAddress);
      socket.destroy();
    }
  }
}

function isOwner({ client, uid, forwarded }: AcceptedOrigin, owner: DataOwner): boolean {
  if (client.address !== owner.client.address || forwarded !== owner.forwarded) return false;
  return forwarded || (owner.uid !== undefined && uid === owner.uid);
}

function isPairInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRNOTAVAIL';
}

/** A connection into the range that no session expects belongs to somebody else's protocol: on to where it was going. */
async function relayUntouched(
  socket: Socket,
  target: Endpoint,
  ports: SourcePorts | undefined,
): Promise<void> {
  try {
    // Not a bulk socket: those give their bytes to no pipe.
    relayRaw(socket, await dialServer(target, ports));
  } catch {
    socket.resetAndDestroy();
  }
}
