// The packet engine: reflection NAT. A client's outbound packet to an intercepted port comes back as an inbound packet for a
// worker, addresses swapped, so that the proxy sees the server's address as its peer; the proxy's replies are swapped back,
// and the client sees the server. Only outbound packets are looked at. No clock, no I/O: time is an argument.
//
//   client L:P -> S:D   becomes   S:A -> L:W    (A = P, or an alias where that pair is taken)
//   proxy  L:W -> S:A   becomes   S:D -> L:P
//
// An active data connection is the same with the proxy as its opener: W is the server's active port, D is 20, A = P.
import { parsePort } from '../../../shared/endpoint.js';
import { addressFromBytes, addressToBytes } from '../../sys/sockaddr.js';
import { adjustChecksum, checksumDelta } from './checksum.js';
import { expiryOf, isOver, notePacket } from './connection-life.js';
import { CLIENT_FIN, ConnectionTable, NO_SLOT, PROXY_FIN, STATE } from './connection-table.js';
import { FTP_DATA, ROLE } from './rules.js';
import { ACK, RST, SYN, Segment } from './segment.js';
import type { Endpoint, Port } from '../../../shared/endpoint.js';
import type { ConnectionOrigin } from '../diverter.js';
import type { Slot } from './connection-table.js';
import type { Rules, Target } from './rules.js';
import type { UserId } from '../../../shared/user-id.js';

/** What to do with a packet: send it on as it is; bring it back in (it was rewritten); forget it. */
export type Verdict = 'pass' | 'reflect' | 'drop';

/** Who keeps the TCP checksum right: the engine, or whoever sends the packet on and computes it anyway. */
export type ChecksumDuty = 'adjust' | 'leave';

/** A new connection. The proxy sees it come from `server.address`, `aliasPort` to `client.address`, `proxyPort`. */
export interface Opened extends ConnectionOrigin {
  readonly id: number;
  readonly aliasPort: Port;
  readonly proxyPort: Port;
}

export interface ReflectionOptions {
  /** Connections at a time; at most 65,535. */
  readonly capacity?: number;
  /** Whose socket it is; asked for every new connection before its first packet goes on. */
  readonly ownerOf: (client: Endpoint, server: Endpoint) => UserId | undefined;
  /** Called before the verdict on a connection's first packet is given, so that the proxy's question comes after. */
  readonly onOpened: (connection: Opened) => void;
  readonly onClosed: (id: number) => void;
}

/** Small files leave hundreds of closed connections a second, each for two minutes. */
const CAPACITY = 65_535;
/** Ports tried as alias: all that stands in the way is the same client's connections to the same server and worker. */
const ALIAS_TRIES = 64;
const ALIAS_FIRST = 32_768;

export class Reflection {
  readonly #options: ReflectionOptions;
  readonly #table: ConnectionTable;
  readonly #segment = new Segment();
  #rules: Rules | undefined;
  #draining = false;
  #refusesUnknown = false;
  #lastId = 0;
  #nextAlias = 0;

  constructor(options: ReflectionOptions) {
    this.#options = options;
    this.#table = new ConnectionTable(Math.min(options.capacity ?? CAPACITY, CAPACITY));
  }

  get connections(): number {
    return this.#table.size;
  }

  /** From now on new connections follow these rules; those that are there go on as they began. */
  setRules(rules: Rules): void {
    this.#rules = rules;
    this.#draining = false;
  }

  /** From now on no new connection is intercepted, and nothing is refused; those that are there go on. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * From now on packets of connections that it does not know are dropped where such a connection would be intercepted: they
   * may be of sessions that an engine before this one has lost, whose next line would leave in clear.
   */
  refuseUnknown(): void {
    this.#refusesUnknown = true;
  }

  /**
   * Judges the outbound packet `bytes[offset .. offset + length)` and rewrites it in place if the verdict is `reflect`. `now`
   * is in milliseconds and never goes back.
   */
  translate(bytes: Uint8Array, offset: number, length: number, now: number, duty: ChecksumDuty): Verdict {
    const segment = this.#segment;
    const rules = this.#rules;
    const kind = segment.parse(bytes, offset, length);
    if (kind === 'other' || rules === undefined) return 'pass';
    if (kind === 'fragment') return this.#judgeFragment(bytes, rules);
    if (segment.destinationPort === 0) return 'pass';
    // The source port goes first: a client's own port may lie in the range of the virtual ones.
    const role = rules.roleOf(segment.sourcePort);
    if (role !== ROLE.none) return this.#fromProxy(bytes, now, duty, rules, role);
    const { sourcePort, destinationPort } = segment;
    const slot = this.#table.findByClient(bytes, segment, sourcePort, destinationPort);
    if (isFirst(segment.flags)) return this.#fromNewClient(bytes, now, duty, rules, slot);
    if (slot !== NO_SLOT) return this.#toProxy(bytes, slot, now, duty);
    // A worker that was replaced by one on other ports may still owe its clients a reset.
    const old = this.#table.findByProxy(bytes, segment, sourcePort, destinationPort);
    return old === NO_SLOT ? this.#fromUnknown(bytes, rules) : this.#toClient(bytes, old, now, duty);
  }

  /** What the proxy's connection from `peer` to its own `local` was; undefined if it came some other way. */
  lookup(peer: Endpoint, local: Endpoint): Omit<ConnectionOrigin, 'uid'> | undefined {
    const slot = this.#findAccepted(peer, local);
    const client = parsePort(this.#table.clientPort[slot]);
    const server = parsePort(this.#table.serverPort[slot]);
    if (client === undefined || server === undefined) return undefined;
    return {
      client: { address: local.address, port: client },
      server: { address: peer.address, port: server },
    };
  }

  /** While both ends are open, the connection never expires. An id that has gone is ignored. */
  pin(id: number): void {
    const slot = id === 0 ? -1 : this.#table.id.indexOf(id);
    if (slot === NO_SLOT) return;
    this.#table.pinned[slot] = 1;
    this.#table.expires[slot] = expiryOf(this.#table, slot, this.#table.expires[slot] ?? 0);
  }

  /** Forgets what has expired. To be called every few seconds; walks the whole table. */
  sweep(now: number): void {
    const { id, expires, capacity } = this.#table;
    for (let slot = 0; slot < capacity; slot += 1) {
      if (id[slot] !== 0 && (expires[slot] ?? 0) <= now) this.#remove(slot);
    }
  }

  #fromProxy(bytes: Uint8Array, now: number, duty: ChecksumDuty, rules: Rules, role: number): Verdict {
    const { sourcePort, destinationPort, flags } = this.#segment;
    const slot = this.#table.findByProxy(bytes, this.#segment, sourcePort, destinationPort);
    if (role === ROLE.active && isFirst(flags)) return this.#fromActive(bytes, now, duty, rules, slot);
    // Nobody is told that a worker listens here: not a scanner, and not the peer of a connection that is forgotten.
    if (slot === NO_SLOT || this.#isImpostors(bytes, rules, slot)) return 'drop';
    return this.#toClient(bytes, slot, now, duty);
  }

  // The workers' ports are no privileged ones: while a worker is dead any user could listen there and be sent the passwords of all
  // others. An impostor's answer to a client does not come in, so that no connection to it comes about.
  #isImpostors(bytes: Uint8Array, rules: Rules, slot: Slot): boolean {
    const isAnswer = (this.#segment.flags & (SYN | ACK)) === (SYN | ACK);
    return isAnswer && this.#table.state[slot] === STATE.syn && !rules.mayListen(this.#ownerOf(bytes));
  }

  #fromUnknown(bytes: Uint8Array, rules: Rules): Verdict {
    if (!this.#refusesUnknown) return 'pass';
    const isOurs = rules.isOurs(this.#remote(bytes).address, this.#segment.destinationPort);
    return !isOurs || rules.isExemptUser(this.#ownerOf(bytes)) ? 'pass' : 'drop';
  }

  #fromActive(bytes: Uint8Array, now: number, duty: ChecksumDuty, rules: Rules, slot: Slot): Verdict {
    const { sourcePort, destinationPort } = this.#segment;
    const isAgain = slot !== NO_SLOT && this.#table.isn[slot] === this.#segment.sequence(bytes);
    if (isAgain) return this.#toClient(bytes, slot, now, duty);
    if (!rules.isActiveOf(sourcePort, this.#remote(bytes).address)) return 'drop';
    if (!rules.maySpeak(this.#ownerOf(bytes))) return 'drop';
    if (slot !== NO_SLOT) this.#remove(slot);
    const rival = this.#table.findByClient(bytes, this.#segment, destinationPort, FTP_DATA);
    if (rival !== NO_SLOT && !isOver(this.#table, rival)) return 'drop';
    if (rival !== NO_SLOT) this.#remove(rival);
    const ports = { client: destinationPort, server: FTP_DATA, alias: destinationPort, proxy: sourcePort };
    const added = this.#add(bytes, ports, now);
    if (added === NO_SLOT) return 'drop';
    // It is the proxy's own: nobody has to ask for it first.
    this.#table.pinned[added] = 1;
    return this.#toClient(bytes, added, now, duty);
  }

  #fromNewClient(bytes: Uint8Array, now: number, duty: ChecksumDuty, rules: Rules, known: Slot): Verdict {
    if (known !== NO_SLOT && this.#table.isn[known] === this.#segment.sequence(bytes)) {
      return this.#toProxy(bytes, known, now, duty);
    }
    const target = this.#targetOf(bytes, rules);
    if (target.kind === 'refuse') return 'drop';
    const uid = target.kind === 'pass' ? undefined : this.#ownerOf(bytes);
    const proxy = target.kind === 'pass' || rules.isExemptUser(uid) ? 0 : target.port;
    // The same pair of ports again: another connection, of another user maybe.
    const mapping = this.#mappingAfter(known, proxy, rules);
    if (known !== NO_SLOT) this.#remove(known);
    if (proxy === 0) return 'pass';
    const slot = this.#addClient(bytes, now, mapping, uid);
    return slot === NO_SLOT ? 'drop' : this.#toProxy(bytes, slot, now, duty);
  }

  #addClient(bytes: Uint8Array, now: number, mapping: Mapping, uid: UserId | undefined): Slot {
    const { sourcePort: client, destinationPort: server } = this.#segment;
    const { proxy } = mapping;
    const alias = mapping.alias === 0 ? this.#freeAlias(bytes, proxy) : mapping.alias;
    if (alias === 0) return NO_SLOT;
    const slot = this.#add(bytes, { client, server, alias, proxy }, now);
    if (slot === NO_SLOT) return slot;
    this.#options.onOpened({
      id: this.#table.id[slot] ?? 0,
      client: this.#local(bytes),
      server: this.#remote(bytes),
      uid,
      aliasPort: toPort(alias),
      proxyPort: toPort(proxy),
    });
    return slot;
  }

  // What the proxy still holds of the last connection over these ports is for its own TCP stack to sort out, as it would be
  // for a server's: so the mapping stays if it can.
  #mappingAfter(known: Slot, proxy: number, rules: Rules): Mapping {
    const before = known === NO_SLOT ? 0 : (this.#table.proxyPort[known] ?? 0);
    if (before === 0 || rules.roleOf(before) !== ROLE.listener) return { proxy, alias: 0 };
    return { proxy: before, alias: this.#table.aliasPort[known] ?? 0 };
  }

  #targetOf(bytes: Uint8Array, rules: Rules): Target {
    if (this.#draining) return { kind: 'pass' };
    // No stack sends from port 0, and no socket could be found for it.
    if (this.#segment.sourcePort === 0) return { kind: 'refuse' };
    return rules.targetOf(this.#remote(bytes).address, this.#segment.destinationPort);
  }

  #ownerOf(bytes: Uint8Array): UserId | undefined {
    return this.#options.ownerOf(this.#local(bytes), this.#remote(bytes));
  }

  /** The client's own port if the proxy can tell this connection by it, else another; 0 if there is none. */
  #freeAlias(bytes: Uint8Array, proxy: number): number {
    let alias = this.#segment.sourcePort;
    for (let tried = 0; tried < ALIAS_TRIES; tried += 1) {
      if (this.#table.findByProxy(bytes, this.#segment, proxy, alias) === NO_SLOT) return alias;
      alias = ALIAS_FIRST + this.#nextAlias;
      this.#nextAlias = (this.#nextAlias + 1) % (65_536 - ALIAS_FIRST);
    }
    return 0;
  }

  #add(bytes: Uint8Array, ports: Parameters<ConnectionTable['add']>[2], now: number): Slot {
    if (this.#table.size === this.#table.capacity) this.#makeRoom(now);
    this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1;
    const slot = this.#table.add(bytes, this.#segment, ports, this.#lastId);
    if (slot === NO_SLOT) return slot;
    const { client, server, alias, proxy } = ports;
    this.#table.isn[slot] = this.#segment.sequence(bytes);
    this.#table.state[slot] = STATE.syn;
    this.#table.deltaToProxy[slot] = checksumDelta([client, server], [alias, proxy]);
    this.#table.deltaToClient[slot] = checksumDelta([proxy, alias], [server, client]);
    return slot;
  }

  /** Removes what has expired, else the older half of what is over; what lives stays, and the new one is refused. */
  #makeRoom(now: number): void {
    this.sweep(now);
    const { capacity, expires } = this.#table;
    if (this.#table.size < capacity) return;
    const over = Array.from({ length: capacity }, (_, slot) => slot).filter((slot) =>
      isOver(this.#table, slot),
    );
    over.sort((a, b) => (expires[a] ?? 0) - (expires[b] ?? 0));
    for (const slot of over.slice(0, Math.ceil(over.length / 2))) this.#remove(slot);
  }

  #remove(slot: Slot): void {
    const id = this.#table.id[slot] ?? 0;
    this.#table.remove(slot);
    this.#options.onClosed(id);
  }

  #toProxy(bytes: Uint8Array, slot: Slot, now: number, duty: ChecksumDuty): Verdict {
    const table = this.#table;
    notePacket(table, slot, this.#segment.flags, CLIENT_FIN, now);
    this.#segment.setPorts(bytes, table.aliasPort[slot] ?? 0, table.proxyPort[slot] ?? 0);
    return this.#reflect(bytes, table.deltaToProxy[slot] ?? 0, duty);
  }

  #toClient(bytes: Uint8Array, slot: Slot, now: number, duty: ChecksumDuty): Verdict {
    const table = this.#table;
    notePacket(table, slot, this.#segment.flags, PROXY_FIN, now);
    this.#segment.setPorts(bytes, table.serverPort[slot] ?? 0, table.clientPort[slot] ?? 0);
    return this.#reflect(bytes, table.deltaToClient[slot] ?? 0, duty);
  }

  #reflect(bytes: Uint8Array, delta: number, duty: ChecksumDuty): Verdict {
    const segment = this.#segment;
    segment.swapAddresses(bytes);
    if (duty === 'adjust') segment.setChecksum(bytes, adjustChecksum(segment.checksum(bytes), delta));
    return 'reflect';
  }

  // TCP fragments are nobody's habit, and a part without ports can't be told from others: what could be ours does not leave.
  #judgeFragment(bytes: Uint8Array, rules: Rules): Verdict {
    const { sourcePort, destinationPort } = this.#segment;
    if (rules.isIntercepted(destinationPort) || rules.roleOf(sourcePort) !== ROLE.none) return 'drop';
    return this.#table.hasRemoteOf(bytes, this.#segment) ? 'drop' : 'pass';
  }

  #findAccepted(peer: Endpoint, local: Endpoint): Slot {
    const from = addressToBytes(local.address);
    const to = addressToBytes(peer.address);
    if (from.length !== to.length) return NO_SLOT;
    const segment = new Segment();
    segment.family = from.length === 4 ? 4 : 6;
    segment.addressSize = from.length;
    return this.#table.findByProxy(Buffer.concat([from, to]), segment, local.port, peer.port);
  }

  /** The sender's end of the packet at hand, whose port is not zero. */
  #local(bytes: Uint8Array): Endpoint {
    const { source, addressSize, sourcePort } = this.#segment;
    return endpointOf(bytes.subarray(source, source + addressSize), sourcePort);
  }

  #remote(bytes: Uint8Array): Endpoint {
    const { source, addressSize, destinationPort } = this.#segment;
    return endpointOf(bytes.subarray(source + addressSize, source + 2 * addressSize), destinationPort);
  }
}

interface Mapping {
  readonly proxy: number;
  /** 0: still to be found. */
  readonly alias: number;
}

function isFirst(flags: number): boolean {
  return (flags & (SYN | ACK | RST)) === SYN;
}

function endpointOf(bytes: Uint8Array, port: number): Endpoint {
  const address = addressFromBytes(bytes);
  if (address === undefined) throw new RangeError('an address of neither family');
  return { address, port: toPort(port) };
}

function toPort(number: number): Port {
  const port = parsePort(number);
  if (port === undefined) throw new RangeError('a packet from or to port 0');
  return port;
}
