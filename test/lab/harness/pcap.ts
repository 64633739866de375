// Reads what tcpdump wrote and says what an eavesdropper could have seen: which of the given secrets, and how each
// connection began.
import { closeSync, openSync, readSync } from 'node:fs';

/** One TCP connection on the wire. `opener` sent the SYN. */
export interface Flow {
  readonly opener: string;
  readonly accepter: string;
  readonly openerPort: number;
  readonly accepterPort: number;
  /** The first bytes that each side sent, undefined while it has sent none. */
  openerFirst: Buffer | undefined;
  accepterFirst: Buffer | undefined;
}

/** What a capture shows. */
export interface WireReport {
  readonly packets: number;
  readonly flows: readonly Flow[];
  /** For each secret that was looked for, the connections (and their number of packets) in which it was seen. */
  readonly sightings: ReadonlyMap<string, readonly string[]>;
}

/** A secret to look for, under the name by which the report speaks of it. */
export interface Secret {
  readonly name: string;
  readonly bytes: Buffer;
}

interface Segment {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly opens: boolean;
  readonly payload: Buffer;
}

/** Reads a capture file (classic pcap, Ethernet) packet by packet; its size does not matter. */
export function inspect(file: string, secrets: readonly Secret[]): WireReport {
  const sightings = new Map(secrets.map((secret) => [secret.name, [] as string[]]));
  const current = new Map<string, Flow>();
  const flows: Flow[] = [];
  const tails = new Map<string, Buffer>();
  let packets = 0;
  for (const frame of frames(file)) {
    packets += 1;
    const segment = readSegment(frame);
    if (segment === undefined) continue;
    noteFlow(segment, current, flows);
    if (segment.payload.length === 0) continue;
    const direction = `${segment.from}:${segment.fromPort} > ${segment.to}:${segment.toPort}`;
    const seen = Buffer.concat([tails.get(direction) ?? Buffer.alloc(0), segment.payload]);
    for (const { name, bytes } of secrets) {
      const places = sightings.get(name);
      if (seen.includes(bytes) && places?.includes(direction) === false) places.push(direction);
    }
    tails.set(direction, Buffer.from(segment.payload.subarray(-80)));
  }
  return { packets, flows, sightings };
}

function noteFlow(segment: Segment, current: Map<string, Flow>, flows: Flow[]): void {
  const forward = `${segment.from}:${segment.fromPort} ${segment.to}:${segment.toPort}`;
  const backward = `${segment.to}:${segment.toPort} ${segment.from}:${segment.fromPort}`;
  if (segment.opens) {
    const flow: Flow = {
      opener: segment.from,
      openerPort: segment.fromPort,
      accepter: segment.to,
      accepterPort: segment.toPort,
      openerFirst: undefined,
      accepterFirst: undefined,
    };
    flows.push(flow);
    current.set(forward, flow);
    current.delete(backward);
    return;
  }
  if (segment.payload.length === 0) return;
  const own = current.get(forward);
  if (own !== undefined) own.openerFirst ??= Buffer.from(segment.payload.subarray(0, 16));
  const other = current.get(backward);
  if (other !== undefined) other.accepterFirst ??= Buffer.from(segment.payload.subarray(0, 16));
}

/** Whether the bytes are the start of a TLS handshake record. */
export function isTlsHandshake(bytes: Buffer): boolean {
  return bytes[0] === 0x16 && bytes[1] === 3;
}

function* frames(file: string): Generator<Buffer> {
  const handle = openSync(file, 'r');
  try {
    let pending: Buffer = Buffer.alloc(0);
    let headerRead = false;
    const piece = Buffer.allocUnsafe(1 << 22);
    for (let count = readSync(handle, piece); count > 0; count = readSync(handle, piece)) {
      pending = Buffer.concat([pending, piece.subarray(0, count)]);
      if (!headerRead) {
        if (pending.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error(`${file} is no little-endian pcap file`);
        pending = pending.subarray(24);
        headerRead = true;
      }
      let at = 0;
      for (;;) {
        if (pending.length - at < 16) break;
        const length = pending.readUInt32LE(at + 8);
        if (pending.length - at < 16 + length) break;
        yield pending.subarray(at + 16, at + 16 + length);
        at += 16 + length;
      }
      pending = Buffer.from(pending.subarray(at));
    }
  } finally {
    closeSync(handle);
  }
}

function readSegment(frame: Buffer): Segment | undefined {
  if (frame.length < 14) return undefined;
  const type = frame.readUInt16BE(12);
  const packet = frame.subarray(14);
  if (type === 0x0800 && packet.length >= 20 && packet[9] === 6) {
    const header = ((packet[0] ?? 0) & 15) * 4;
    const tcp = packet.subarray(header, Math.min(packet.length, packet.readUInt16BE(2) || packet.length));
    return readTcp(ipv4Text(packet.subarray(12, 16)), ipv4Text(packet.subarray(16, 20)), tcp);
  }
  if (type === 0x86dd && packet.length >= 40 && packet[6] === 6) {
    const length = packet.readUInt16BE(4);
    const tcp = packet.subarray(40, length === 0 ? packet.length : Math.min(packet.length, 40 + length));
    return readTcp(packet.subarray(8, 24).toString('hex'), packet.subarray(24, 40).toString('hex'), tcp);
  }
  return undefined;
}

function ipv4Text(bytes: Buffer): string {
  return [...bytes].join('.');
}

function readTcp(from: string, to: string, tcp: Buffer): Segment | undefined {
  if (tcp.length < 20) return undefined;
  const flags = tcp[13] ?? 0;
  return {
    from,
    to,
    fromPort: tcp.readUInt16BE(0),
    toPort: tcp.readUInt16BE(2),
    opens: (flags & 0x12) === 0x02,
    payload: tcp.subarray(((tcp[12] ?? 0) >> 4) * 4),
  };
}

/** An address as this file writes it: dotted decimal, or 32 hex digits. */
export function wireAddress(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('::');
  const left = head.split(':').filter((part) => part !== '');
  const right = tail.split(':').filter((part) => part !== '');
  const middle = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...middle, ...right].map((part) => part.padStart(4, '0')).join('');
}
