// Packets for the engine's tests, and a checksum that shares nothing with the engine: the plain sum of RFC 1071 in BigInt.
import { addressToBytes } from '../../../../daemon/sys/sockaddr.js';
import { address } from '../plan-fixture.js';

export const flag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

/** One TCP packet as text and numbers. */
export interface PacketWords {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  readonly flags?: number;
  readonly sequence?: number;
  readonly payload?: Uint8Array;
  /** IPv4 options (a multiple of 4 bytes), or IPv6 destination options (8 bytes each). */
  readonly optionBytes?: number;
  readonly ttl?: number;
}

/** The packet with all its checksums. */
export function packet(words: PacketWords): Buffer {
  const [from, to] = [addressToBytes(address(words.from)), addressToBytes(address(words.to))];
  const segment = tcp(words);
  const head = from.length === 4 ? header4(words, from, to, segment) : header6(words, from, to, segment);
  const whole = Buffer.concat([head, segment]);
  whole.writeUInt16BE(independentChecksum(whole, head.length), head.length + 16);
  return whole;
}

function tcp({ fromPort, toPort, flags = flag.ack, sequence = 1, payload }: PacketWords): Buffer {
  const segment = Buffer.alloc(20 + (payload?.length ?? 0));
  segment.writeUInt16BE(fromPort, 0);
  segment.writeUInt16BE(toPort, 2);
  segment.writeUInt32BE(sequence, 4);
  segment[12] = 5 << 4;
  segment[13] = flags;
  segment.writeUInt16BE(65000, 14);
  if (payload !== undefined) Buffer.from(payload).copy(segment, 20);
  return segment;
}

function header4(words: PacketWords, from: Buffer, to: Buffer, segment: Buffer): Buffer {
  const length = 20 + (words.optionBytes ?? 0);
  const head = Buffer.alloc(length, 1);
  head[0] = (4 << 4) | (length / 4);
  head[1] = 0;
  head.writeUInt16BE(length + segment.length, 2);
  head.writeUInt16BE(4711, 4);
  head.writeUInt16BE(0x4000, 6);
  head[8] = words.ttl ?? 64;
  head[9] = 6;
  head.writeUInt16BE(0, 10);
  from.copy(head, 12);
  to.copy(head, 16);
  head.writeUInt16BE(complement(sumOf(head)), 10);
  return head;
}

function header6(words: PacketWords, from: Buffer, to: Buffer, segment: Buffer): Buffer {
  const options = words.optionBytes ?? 0;
  const head = Buffer.alloc(40 + options);
  head[0] = 6 << 4;
  head.writeUInt16BE(options + segment.length, 4);
  head[6] = options === 0 ? 6 : 60;
  head[7] = words.ttl ?? 64;
  from.copy(head, 8);
  to.copy(head, 24);
  if (options > 0) {
    head[40] = 6;
    head[41] = options / 8 - 1;
    head[42] = 1;
    head[43] = options - 4;
  }
  return head;
}

/** What the TCP checksum of this packet has to be, whatever it says now. */
export function independentChecksum(whole: Uint8Array, tcpAt: number): number {
  const isIpv4 = (whole[0] ?? 0) >> 4 === 4;
  const addresses = isIpv4 ? whole.subarray(12, 20) : whole.subarray(8, 40);
  const segment = Buffer.from(whole.subarray(tcpAt));
  segment.writeUInt16BE(0, 16);
  return complement(sumOf(addresses) + 6n + BigInt(segment.length) + sumOf(segment));
}

/** The IPv4 header's own checksum as it has to be. */
export function independentHeaderChecksum(whole: Uint8Array): number {
  const head = Buffer.from(whole.subarray(0, ((whole[0] ?? 0) & 15) * 4));
  head.writeUInt16BE(0, 10);
  return complement(sumOf(head));
}

function sumOf(bytes: Uint8Array): bigint {
  let sum = 0n;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += (BigInt(bytes[at] ?? 0) << 8n) + BigInt(bytes[at + 1] ?? 0);
  }
  return sum;
}

function complement(sum: bigint): number {
  const folded = sum === 0n ? 0n : ((sum - 1n) % 0xffffn) + 1n;
  return Number(0xffffn - folded);
}

/** What a TCP stack would read from the packet, for comparison. */
export function endsOf(whole: Uint8Array): { readonly from: string; readonly to: string } {
  const bytes = Buffer.from(whole);
  const isIpv4 = (bytes[0] ?? 0) >> 4 === 4;
  const options = isIpv4 ? ((bytes[0] ?? 0) & 15) * 4 : bytes[6] === 60 ? 48 + (bytes[41] ?? 0) * 8 : 40;
  const text = (at: number) =>
    isIpv4
      ? bytes.subarray(at, at + 4).join('.')
      : address(
          Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(at + group * 2).toString(16)).join(':'),
        );
  const [source, destination] = isIpv4 ? [12, 16] : [8, 24];
  return {
    from: `${text(source)} ${bytes.readUInt16BE(options)}`,
    to: `${text(destination)} ${bytes.readUInt16BE(options + 2)}`,
  };
}

/** Where the TCP header of a fixture's packet starts. */
export function tcpAt(whole: Uint8Array): number {
  if ((whole[0] ?? 0) >> 4 === 4) return ((whole[0] ?? 0) & 15) * 4;
  return whole[6] === 60 ? 48 + (whole[41] ?? 0) * 8 : 40;
}
