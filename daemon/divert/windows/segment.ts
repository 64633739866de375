// Where things are in a packet: IPv4 and IPv6 headers, extension headers, the TCP header. Reads and rewrites in place, by
// byte index, in a buffer that holds many packets: no view and no object is made for a packet.

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const ACK = 0x10;

const PROTOCOL_TCP = 6;
const PROTOCOL_FRAGMENT = 44;
const PROTOCOL_AUTHENTICATION = 51;
/** Hop-by-hop options, routing, destination options: each has its length in its second byte. */
const skippable: ReadonlySet<number> = new Set([0, 43, 60]);
/** More extension headers than any sender makes. */
const MAX_EXTENSIONS = 8;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;

/**
 * `segment`: everything below is set. `fragment`: a part of a TCP packet; the addresses are set, and the ports if it is the
 * part that holds them, else they are 0. `other`: no TCP, or headers that make no sense; nothing is set.
 */
export type PacketKind = 'segment' | 'fragment' | 'other';

/** One packet's layout. `parse` fills it, the other methods use what it found: one object for all packets. */
export class Segment {
  family: 4 | 6 = 4;
  /** Index of the source address; the destination's follows it directly in both families. */
  source = 0;
  /** Index of the TCP header. */
  tcp = 0;
  /** 4 or 16. */
  addressSize = 4;
  sourcePort = 0;
  destinationPort = 0;
  flags = 0;

  /** Looks at `bytes[offset .. offset + length)`; the range must lie inside `bytes`. Never throws, reads nothing outside. */
  parse(bytes: Uint8Array, offset: number, length: number): PacketKind {
    if (length < IPV4_HEADER) return 'other';
    const version = byteAt(bytes, offset) >> 4;
    if (version === 4) return this.#parse4(bytes, offset, length);
    return version === 6 && length >= IPV6_HEADER ? this.#parse6(bytes, offset, length) : 'other';
  }

  #parse4(bytes: Uint8Array, offset: number, length: number): PacketKind {
    if (byteAt(bytes, offset + 9) !== PROTOCOL_TCP) return 'other';
    const header = (byteAt(bytes, offset) & 0x0f) * 4;
    const total = wordAt(bytes, offset + 2);
    // A sender that leaves segmentation to the network card may leave the length at zero.
    if (header < IPV4_HEADER || total > length || (total !== 0 && total < header)) return 'other';
    this.family = 4;
    this.source = offset + 12;
    this.addressSize = 4;
    const end = offset + (total === 0 ? length : total);
    const part = wordAt(bytes, offset + 6);
    if ((part & 0x3fff) !== 0) return this.#fragment(bytes, offset + header, end, (part & 0x1fff) === 0);
    return this.#parseTcp(bytes, offset + header, end);
  }

  #parse6(bytes: Uint8Array, offset: number, length: number): PacketKind {
    const payload = wordAt(bytes, offset + 4);
    const end = offset + (payload === 0 ? length : IPV6_HEADER + payload);
    if (end > offset + length) return 'other';
    let next = byteAt(bytes, offset + 6);
    let at = offset + IPV6_HEADER;
    this.family = 6;
    this.source = offset + 8;
    this.addressSize = 16;
    for (let count = 0; count < MAX_EXTENSIONS && next !== PROTOCOL_TCP; count += 1) {
      const size = extensionSize(bytes, at, end, next);
      if (size === 0) return 'other';
      const part = next === PROTOCOL_FRAGMENT ? wordAt(bytes, at + 2) & 0xfff9 : 0;
      next = byteAt(bytes, at);
      at += size;
      if (part !== 0) return this.#fragment6(bytes, at, end, next, part < 8);
    }
    return next === PROTOCOL_TCP ? this.#parseTcp(bytes, at, end) : 'other';
  }

  // Extension headers inside the fragmented part are no sender's habit: such a part counts as TCP, whatever is behind them.
  #fragment6(bytes: Uint8Array, at: number, end: number, next: number, first: boolean): PacketKind {
    if (next !== PROTOCOL_TCP && !skippable.has(next)) return 'other';
    return this.#fragment(bytes, at, end, first && next === PROTOCOL_TCP);
  }

  #fragment(bytes: Uint8Array, at: number, end: number, holdsPorts: boolean): PacketKind {
    const known = holdsPorts && at + 4 <= end;
    this.sourcePort = known ? wordAt(bytes, at) : 0;
    this.destinationPort = known ? wordAt(bytes, at + 2) : 0;
    return 'fragment';
  }

  #parseTcp(bytes: Uint8Array, at: number, end: number): PacketKind {
    if (at + TCP_HEADER > end || at + (byteAt(bytes, at + 12) >> 4) * 4 > end) return 'other';
    this.tcp = at;
    this.sourcePort = wordAt(bytes, at);
    this.destinationPort = wordAt(bytes, at + 2);
    this.flags = byteAt(bytes, at + 13);
    return 'segment';
  }

  /** The sequence number, as a signed 32-bit value. */
  sequence(bytes: Uint8Array): number {
    return longAt(bytes, this.tcp + 4);
  }

  checksum(bytes: Uint8Array): number {
    return wordAt(bytes, this.tcp + 16);
  }

  setChecksum(bytes: Uint8Array, value: number): void {
    putWord(bytes, this.tcp + 16, value);
  }

  setPorts(bytes: Uint8Array, source: number, destination: number): void {
    putWord(bytes, this.tcp, source);
    putWord(bytes, this.tcp + 2, destination);
  }

  /** Sender and receiver change places. The sums of the IP header and of the pseudo-header stay what they were. */
  swapAddresses(bytes: Uint8Array): void {
    const { source, addressSize } = this;
    for (let at = source; at < source + addressSize; at += 1) {
      const byte = byteAt(bytes, at);
      bytes[at] = byteAt(bytes, at + addressSize);
      bytes[at + addressSize] = byte;
    }
  }
}

/** The size of the extension header `kind` at `at`; 0 if there is none of that kind or it does not end before `end`. */
function extensionSize(bytes: Uint8Array, at: number, end: number, kind: number): number {
  if (at + 8 > end) return 0;
  const length = byteAt(bytes, at + 1);
  const size = skippable.has(kind)
    ? (length + 1) * 8
    : kind === PROTOCOL_FRAGMENT
      ? 8
      : kind === PROTOCOL_AUTHENTICATION
        ? (length + 2) * 4
        : 0;
  return at + size > end ? 0 : size;
}

// The `??` is for the compiler: `parse` has made sure of every index that is used.
function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1);
}

/** Four bytes as a signed 32-bit value. */
export function longAt(bytes: Uint8Array, at: number): number {
  return (wordAt(bytes, at) << 16) | wordAt(bytes, at + 2);
}

function putWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}
