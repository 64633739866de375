// A plan, compiled for the packet engine: what a port means is one look into an array, and all else is asked once a
// connection.
import { familyOf } from '../../../shared/endpoint.js';
import { addressToBytes } from '../../sys/sockaddr.js';
import type { IpAddress } from '../../../shared/endpoint.js';
import type { Cidr, DivertPlan, DivertedServer } from '../diverter.js';
import { isSuperuser, type UserId } from '../../../shared/user-id.js';

/** The port that active data connections come from (RFC 959, section 3.2). */
export const FTP_DATA = 20;

/** What a source port says: nothing, a worker's listener, the proxy's end of active data connections to one server's clients. */
export const ROLE = { none: 0, listener: 1, active: 2 } as const;

/** Where a new connection of a client goes. */
export type Target =
  | { readonly kind: 'worker'; readonly port: number }
  /** None of our business. */
  | { readonly kind: 'pass' }
  /** It should be intercepted and can't be: nothing that should have been may leave. */
  | { readonly kind: 'refuse' };

interface PlanForRules extends Pick<
  DivertPlan,
  'ports' | 'workers' | 'servers' | 'exemptNets' | 'exemptUids' | 'proxyUid'
> {
  /** By what the proxy's own connections to servers are known; `port`: they never come here, and its user is like any other. */
  readonly ownBy?: 'user' | 'port';
}

interface Net {
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

const pass: Target = { kind: 'pass' };

export class Rules {
  readonly #roles = new Uint8Array(65536);
  readonly #control = new Uint8Array(65536);
  /** The worker's data port for each virtual port; 0 elsewhere. */
  readonly #data = new Uint16Array(65536);
  readonly #listeners: readonly number[];
  readonly #servers: ReadonlyMap<IpAddress, DivertedServer>;
  readonly #exemptNets: readonly Net[];
  readonly #exemptUids: ReadonlySet<UserId>;
  readonly #proxyUid: UserId;
  readonly #ownBy: 'user' | 'port';
  #turn = 0;

  constructor(plan: PlanForRules) {
    for (const port of plan.ports) this.#control[port] = 1;
    for (const worker of plan.workers) {
      this.#roles[worker.control] = ROLE.listener;
      this.#roles[worker.data] = ROLE.listener;
      this.#data.fill(worker.data, worker.virtual.first, worker.virtual.last + 1);
    }
    for (const server of plan.servers) this.#roles[server.activePort] = ROLE.active;
    this.#listeners = plan.workers.map((worker) => worker.control);
    this.#servers = new Map(plan.servers.map((server) => [server.address, server]));
    this.#exemptNets = plan.exemptNets.map(toNet);
    this.#proxyUid = plan.proxyUid;
    this.#ownBy = plan.ownBy ?? 'user';
    this.#exemptUids = new Set([...(plan.ownBy === 'port' ? [] : [plan.proxyUid]), ...plan.exemptUids]);
  }

  roleOf(port: number): number {
    return this.#roles[port] ?? ROLE.none;
  }

  /** True for a port that may be intercepted, whatever the server. */
  isIntercepted(port: number): boolean {
    return this.#control[port] === 1 || (this.#data[port] ?? 0) !== 0;
  }

  /** Whether a connection to this address and port would be intercepted. */
  isOurs(server: IpAddress, port: number): boolean {
    if (this.#control[port] !== 1 && (this.#data[port] === 0 || !this.#servers.has(server))) return false;
    return !this.#isExemptNet(server);
  }

  /** Where a new connection to this address and port goes. Control connections are spread over the workers in turn. */
  targetOf(server: IpAddress, port: number): Target {
    if (!this.isOurs(server, port)) return pass;
    const worker = this.#control[port] === 1 ? this.#nextListener() : this.#data[port];
    return worker === undefined ? { kind: 'refuse' } : { kind: 'worker', port: worker };
  }

  /** Whether this user may speak for a server. Of a connection whose user can't be found nobody knows better. */
  maySpeak(uid: UserId | undefined): boolean {
    return uid === undefined || uid === this.#proxyUid;
  }

  /** Whether this user may answer at a worker's port. Where the proxy is known by its user, the machine's own rules see to that. */
  mayListen(uid: UserId | undefined): boolean {
    if (this.#ownBy !== 'port' || this.maySpeak(uid)) return true;
    // The system needs no ruse, and Windows may name it for a connection that nobody has accepted yet.
    return uid !== undefined && isSuperuser(uid);
  }

  /** Whether a connection of this user is left alone: the proxy's own, and those of exempt users. */
  isExemptUser(uid: UserId | undefined): boolean {
    return uid !== undefined && this.#exemptUids.has(uid);
  }

  /** Whether the proxy's connections from this port to this server's address are active data connections. */
  isActiveOf(port: number, server: IpAddress): boolean {
    return this.#servers.get(server)?.activePort === port;
  }

  #nextListener(): number | undefined {
    const port = this.#listeners[this.#turn % Math.max(1, this.#listeners.length)];
    this.#turn += 1;
    return port;
  }

  #isExemptNet(address: IpAddress): boolean {
    if (this.#exemptNets.length === 0) return false;
    const bytes = addressToBytes(address);
    return this.#exemptNets.some((net) => isInside(bytes, net));
  }
}

function toNet(net: Cidr): Net {
  // A prefix longer than the address would read behind its end.
  const most = familyOf(net.address) === 4 ? 32 : 128;
  return { bytes: addressToBytes(net.address), prefix: Math.min(net.prefix, most) };
}

function isInside(address: Uint8Array, net: Net): boolean {
  if (address.length !== net.bytes.length) return false;
  const whole = net.prefix >> 3;
  for (let at = 0; at < whole; at += 1) if (address[at] !== net.bytes[at]) return false;
  const rest = net.prefix & 7;
  return rest === 0 || (((address[whole] ?? 0) ^ (net.bytes[whole] ?? 0)) & (0xff00 >> rest) & 0xff) === 0;
}
