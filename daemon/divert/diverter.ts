// The contract of a redirect layer: the whole desired state each time, as a value. One file per operating
// system implements it; the supervisor is its only caller.
import type { Fault } from '../../shared/fault.js';
import type { Endpoint, IpAddress, Port, PortRange } from '../../shared/endpoint.js';
import type { UserId } from '../../shared/user-id.js';

/** The loopback ports of one worker: it listens on 127.0.0.1 and ::1 on each, and owns a share of the virtual data ports. */
export interface WorkerPorts {
  readonly control: Port;
  readonly data: Port;
  /** The last of the data ports, if there are more than one (kernel's redirect only); `control` is not between. */
  readonly dataLast?: Port | undefined;
  readonly virtual: PortRange;
}

/**
 * A server with a live (or recent) session. Passive data connections to it on a virtual port are redirected;
 * connections that the proxy opens to a client from `activePort` appear to come from `address`, port 20.
 */
export interface DivertedServer {
  readonly address: IpAddress;
  readonly activePort: Port;
}

/** An address block that is left alone, in canonical text. */
export interface Cidr {
  readonly address: IpAddress;
  readonly prefix: number;
}

/** A block of addresses whose forwarded FTP is secured, left as it is, or refused. */
export interface ForwardedClient {
  readonly net: Cidr;
  readonly mode: 'secure' | 'leave' | 'refuse';
}

/** Whose FTP is taken of what this machine routes for others. */
export interface ForwardedPlan {
  /** Where the workers listen, on all addresses of the machine; open to redirected connections alone. */
  readonly listen: readonly PortRange[];
  /** The first that holds a client's address counts; everybody else is left alone. */
  readonly clients: readonly ForwardedClient[];
}

/** Everything the redirect layer has to bring about. Applying the same plan twice changes nothing. */
export interface DivertPlan {
  /** Outbound TCP ports to intercept, normally 21. */
  readonly ports: readonly Port[];
  /** The proxy's uid: its own connections are never redirected. */
  readonly proxyUid: UserId;
  readonly workers: readonly WorkerPorts[];
  readonly exemptUids: readonly UserId[];
  readonly exemptNets: readonly Cidr[];
  readonly servers: readonly DivertedServer[];
  /** What happens to FTP when the supervisor dies without cleaning up. */
  readonly onFailure: 'open' | 'closed';
  /** Undefined: only this machine's own traffic is looked at. */
  readonly forwarded: ForwardedPlan | undefined;
}

/** A redirected connection as it was meant. */
export interface ConnectionOrigin {
  readonly client: Endpoint;
  /** Where the client wanted to go. */
  readonly server: Endpoint;
  /** The client's user; undefined if nobody can tell. */
  readonly uid: UserId | undefined;
}

/** Both ends of a connection as the proxy sees them, after the redirect. */
export interface AcceptedEnds {
  readonly peer: Endpoint;
  readonly local: Endpoint;
}

/** Another program removed rules of ours. `by`: its name, where the kernel tells it. */
export type Repair =
  | { readonly kind: 'repaired'; readonly by: string | undefined }
  /** They can't be put back; it is tried again. */
  | { readonly kind: 'failed'; readonly fault: Fault };

/** One operating system's redirect layer. All methods reject with a Fault of code `redirect`, `missing-tool` or `not-permitted`. */
export interface Diverter {
  readonly name: string;
  /** Brings the machine from whatever state it is in to the plan, atomically: old or new, never between. */
  apply(plan: DivertPlan): Promise<void>;
  /**
   * From now on no new connection is redirected; those that were go on as they are, until `clear`. To be called while
   * the proxy still has sessions: after `clear` alone their bytes could leave for the server untranslated, in clear.
   */
  drain(): Promise<void>;
  /**
   * For a successor that starts at once: what should be redirected is refused until its `apply`, or until `clear`. To be called
   * when no session is left. Absent where a layer can't; `clear` does in its place.
   */
  handOver?(): Promise<void>;
  /** Removes everything ftpseal may have left, also after a crash; no other table is touched. Idempotent. */
  clear(): Promise<void>;
  /**
   * What a connection that the proxy accepted was before; undefined if it was not redirected. Absent where the proxy can ask the
   * kernel itself.
   */
  originOf?(ends: AcceptedEnds): ConnectionOrigin | undefined;
  /**
   * Whom to tell when the layer has stopped by itself, at any time: what should be intercepted is blocked from then on, until an
   * `apply` makes it anew. Absent where the layer is the kernel's own and can't stop.
   */
  onFailure?(listener: (fault: Fault) => void): void;
  /** Whom to tell of every repair. Absent where nobody else can remove the rules. */
  onRepair?(listener: (repair: Repair) => void): void;
}
