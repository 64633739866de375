// The connections under reflection, as columns of numbers with two chains: by the client's port and by the port that stands
// for it towards the proxy. Finds with no allocation and no string. Knows no time-out and no rule.
import { longAt } from './segment.js';
import type { Segment } from './segment.js';

/** A row's number; -1 is none. Valid until the row is removed. */
export type Slot = number;
export const NO_SLOT: Slot = -1;

export const STATE = { syn: 0, established: 1, halfClosed: 2, closed: 3, reset: 4 } as const;
export type State = (typeof STATE)[keyof typeof STATE];

/** Who has sent its FIN. */
export const CLIENT_FIN = 1;
export const PROXY_FIN = 2;

const PORTS = 65536;
const WORDS = 8;

/** The four ports of a connection: client and server as the client sees it, alias and proxy as the proxy does. */
export interface Ports {
  readonly client: number;
  readonly server: number;
  readonly alias: number;
  readonly proxy: number;
}

export class ConnectionTable {
  readonly capacity: number;
  readonly clientPort: Uint16Array;
  readonly serverPort: Uint16Array;
  readonly aliasPort: Uint16Array;
  readonly proxyPort: Uint16Array;
  /** Initial sequence number of whoever opened it. */
  readonly isn: Int32Array;
  readonly state: Uint8Array;
  readonly fins: Uint8Array;
  readonly pinned: Uint8Array;
  readonly expires: Float64Array;
  readonly deltaToProxy: Uint32Array;
  readonly deltaToClient: Uint32Array;
  /** Counts up; tells a row's tenants apart. 0: the row is free. */
  readonly id: Uint32Array;
  readonly #family: Uint8Array;
  /** Eight words a row: this machine's address of the connection, the server's address. */
  readonly #addresses: Int32Array;
  readonly #byClient = new Int32Array(PORTS).fill(NO_SLOT);
  readonly #byAlias = new Int32Array(PORTS).fill(NO_SLOT);
  readonly #nextByClient: Int32Array;
  readonly #nextByAlias: Int32Array;
  readonly #free: Int32Array;
  #freeCount: number;

  /** Room for `capacity` connections, about 90 bytes each, allocated at once. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.clientPort = new Uint16Array(capacity);
    this.serverPort = new Uint16Array(capacity);
    this.aliasPort = new Uint16Array(capacity);
    this.proxyPort = new Uint16Array(capacity);
    this.isn = new Int32Array(capacity);
    this.state = new Uint8Array(capacity);
    this.fins = new Uint8Array(capacity);
    this.pinned = new Uint8Array(capacity);
    this.expires = new Float64Array(capacity);
    this.deltaToProxy = new Uint32Array(capacity);
    this.deltaToClient = new Uint32Array(capacity);
    this.id = new Uint32Array(capacity);
    this.#family = new Uint8Array(capacity);
    this.#addresses = new Int32Array(capacity * WORDS);
    this.#nextByClient = new Int32Array(capacity);
    this.#nextByAlias = new Int32Array(capacity);
    this.#free = Int32Array.from({ length: capacity }, (_, index) => capacity - 1 - index);
    this.#freeCount = capacity;
  }

  get size(): number {
    return this.capacity - this.#freeCount;
  }

  /** The connection whose client may have sent this outbound segment from `clientPort` to `serverPort`. */
  findByClient(bytes: Uint8Array, segment: Segment, clientPort: number, serverPort: number): Slot {
    let slot = this.#byClient[clientPort] ?? NO_SLOT;
    while (slot !== NO_SLOT) {
      if (this.serverPort[slot] === serverPort && this.#hasAddresses(slot, bytes, segment)) return slot;
      slot = this.#nextByClient[slot] ?? NO_SLOT;
    }
    return NO_SLOT;
  }

  /** The connection on which the proxy may have sent this outbound segment from `proxyPort` to `aliasPort`. */
  findByProxy(bytes: Uint8Array, segment: Segment, proxyPort: number, aliasPort: number): Slot {
    let slot = this.#byAlias[aliasPort] ?? NO_SLOT;
    while (slot !== NO_SLOT) {
      if (this.proxyPort[slot] === proxyPort && this.#hasAddresses(slot, bytes, segment)) return slot;
      slot = this.#nextByAlias[slot] ?? NO_SLOT;
    }
    return NO_SLOT;
  }

  /** Whether any connection goes to the address that this packet goes to. Walks the table: for rare packets. */
  hasRemoteOf(bytes: Uint8Array, segment: Segment): boolean {
    for (let slot = 0; slot < this.capacity; slot += 1) {
      if (this.id[slot] !== 0 && this.#hasRemote(slot, bytes, segment)) return true;
    }
    return false;
  }

  /** A row for a connection between the addresses of this outbound segment; NO_SLOT if the table is full. */
  add(bytes: Uint8Array, segment: Segment, ports: Ports, id: number): Slot {
    if (this.#freeCount === 0) return NO_SLOT;
    this.#freeCount -= 1;
    const slot = this.#free[this.#freeCount] ?? NO_SLOT;
    this.#family[slot] = segment.family;
    const words = segment.addressSize >> 2;
    for (let word = 0; word < words; word += 1) {
      this.#addresses[slot * WORDS + word] = longAt(bytes, segment.source + word * 4);
      const remote = segment.source + segment.addressSize + word * 4;
      this.#addresses[slot * WORDS + 4 + word] = longAt(bytes, remote);
    }
    this.id[slot] = id;
    this.fins[slot] = 0;
    this.pinned[slot] = 0;
    this.clientPort[slot] = ports.client;
    this.serverPort[slot] = ports.server;
    this.aliasPort[slot] = ports.alias;
    this.proxyPort[slot] = ports.proxy;
    this.#nextByClient[slot] = this.#byClient[ports.client] ?? NO_SLOT;
    this.#byClient[ports.client] = slot;
    this.#nextByAlias[slot] = this.#byAlias[ports.alias] ?? NO_SLOT;
    this.#byAlias[ports.alias] = slot;
    return slot;
  }

  remove(slot: Slot): void {
    unlink(this.#byClient, this.#nextByClient, this.clientPort[slot] ?? 0, slot);
    unlink(this.#byAlias, this.#nextByAlias, this.aliasPort[slot] ?? 0, slot);
    this.id[slot] = 0;
    this.#free[this.#freeCount] = slot;
    this.#freeCount += 1;
  }

  #hasAddresses(slot: Slot, bytes: Uint8Array, { family, source }: Segment): boolean {
    const at = slot * WORDS;
    const held = this.#addresses;
    if (this.#family[slot] !== family || held[at] !== longAt(bytes, source)) return false;
    if (family === 4) return held[at + 4] === longAt(bytes, source + 4);
    // The last word differs most often: it goes first.
    for (let word = 7; word > 0; word -= 1) {
      if (held[at + word] !== longAt(bytes, source + word * 4)) return false;
    }
    return true;
  }

  #hasRemote(slot: Slot, bytes: Uint8Array, segment: Segment): boolean {
    if (this.#family[slot] !== segment.family) return false;
    const remote = segment.source + segment.addressSize;
    for (let word = 0; word < segment.addressSize >> 2; word += 1) {
      if (this.#addresses[slot * WORDS + 4 + word] !== longAt(bytes, remote + word * 4)) return false;
    }
    return true;
  }
}

function unlink(heads: Int32Array, next: Int32Array, port: number, slot: Slot): void {
  const after = next[slot] ?? NO_SLOT;
  let at = heads[port] ?? NO_SLOT;
  if (at === slot) {
    heads[port] = after;
    return;
  }
  while (at !== NO_SLOT) {
    const following = next[at] ?? NO_SLOT;
    if (following === slot) {
      next[at] = after;
      return;
    }
    at = following;
  }
}
