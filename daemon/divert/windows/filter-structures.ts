// Filters of the Windows Filtering Platform (fwpmtypes.h) as bytes, for 64-bit Windows. Layouts and numbers only: which filters there
// are is closed-hold.ts, who takes them is filtering-platform.ts.
import koffi from 'koffi';
import { familyOf, type IpAddress, type PortRange } from '../../../shared/endpoint.js';
import { addressToBytes } from '../../sys/sockaddr.js';
import type { Cidr } from '../diverter.js';

/** One test of a connection. Tests of one kind are alternatives; every kind that is there must be met. */
export type FilterTest =
  | { readonly kind: 'tcp' }
  | { readonly kind: 'notLoopback' }
  | { readonly kind: 'remotePorts'; readonly range: PortRange }
  /** Of the filter's family. */
  | { readonly kind: 'remoteNet'; readonly net: Cidr };

/** Judges connections of this machine as they are opened, and again when filters have changed. */
export interface ConnectFilter {
  /** Its name for the platform: 8-4-4-4-12 hexadecimal digits. */
  readonly key: string;
  /** For people, in the lists of the platform. */
  readonly name: string;
  readonly family: 4 | 6;
  readonly action: 'permit' | 'block';
  /** 0 to 15: of two that match the heavier one decides. */
  readonly weight: number;
  readonly tests: readonly FilterTest[];
}

/** Bytes that point to each other: all of them must live as long as they are used. */
export interface Structure {
  readonly bytes: Buffer;
  readonly parts: readonly Buffer[];
}

const layers = { 4: 'c38d57d1-05a7-4c33-904f-7fbceee60e82', 6: '4a72393b-319f-44bc-84c3-ba54dcb3b6b4' };
const fields = {
  tcp: '3971ef2b-623e-4f9a-8cb1-6e79b806b9a7',
  notLoopback: '632ce23b-5167-435c-86d7-e903684aa80c',
  remotePorts: 'c35a604d-d22b-4e1a-91b4-68f674ee674b',
  remoteNet: 'b235ae9a-1d64-49b8-a44c-5ff3d9095045',
};
const match = { equal: 0, range: 5, noneSet: 8 } as const;
const type = { uint8: 1, uint16: 2, uint32: 3, net4: 0x100, net6: 0x101, range: 0x102 } as const;
const actions = { block: 0x1001, permit: 0x1002 } as const;
const PROTOCOL_TCP = 6;
const FLAG_IS_LOOPBACK = 1;

const CONDITION_BYTES = 40;
const FILTER_BYTES = 200;
const SUBLAYER_BYTES = 72;
const SESSION_BYTES = 72;
const SESSION_FLAG_DYNAMIC = 1;

/** A GUID as Windows keeps it. */
export function guidBytes(guid: string): Buffer {
  const [a = '', b = '', c = '', ...rest] = guid.split('-');
  const numbers = [a, b, c].map((part) => Buffer.from(part, 'hex').reverse());
  return Buffer.concat([...numbers, Buffer.from(rest.join(''), 'hex')]);
}

/** FWPM_FILTER0. */
export function filterStructure(filter: ConnectFilter, sublayer: string): Structure {
  const parts: Buffer[] = [];
  const conditions = Buffer.alloc(CONDITION_BYTES * filter.tests.length);
  filter.tests.forEach((test, index) => {
    writeCondition(conditions.subarray(CONDITION_BYTES * index), test, parts);
  });
  const bytes = Buffer.alloc(FILTER_BYTES);
  bytes.set(guidBytes(filter.key), 0);
  point(bytes, 16, textOf(filter.name), parts);
  bytes.set(guidBytes(layers[filter.family]), 64);
  bytes.set(guidBytes(sublayer), 80);
  bytes.writeUInt32LE(type.uint8, 96);
  bytes.writeUInt8(filter.weight, 104);
  bytes.writeUInt32LE(filter.tests.length, 112);
  if (filter.tests.length > 0) point(bytes, 120, conditions, parts);
  bytes.writeUInt32LE(actions[filter.action], 128);
  return { bytes, parts };
}

/** FWPM_SUBLAYER0: what is in it is judged by itself; a block there is one for the machine, a permit leaves it to the others. */
export function sublayerStructure(key: string, name: string): Structure {
  const parts: Buffer[] = [];
  const bytes = Buffer.alloc(SUBLAYER_BYTES);
  bytes.set(guidBytes(key), 0);
  point(bytes, 16, textOf(name), parts);
  bytes.writeUInt16LE(0xffff, 64);
  return { bytes, parts };
}

/** FWPM_SESSION0: what is added in it goes with the process, however that ends. */
export function dynamicSession(): Structure {
  const bytes = Buffer.alloc(SESSION_BYTES);
  bytes.writeUInt32LE(SESSION_FLAG_DYNAMIC, 32);
  return { bytes, parts: [] };
}

function writeCondition(at: Buffer, test: FilterTest, parts: Buffer[]): void {
  at.set(guidBytes(fields[test.kind]), 0);
  switch (test.kind) {
    case 'tcp':
      writeHead(at, match.equal, type.uint8);
      at.writeUInt8(PROTOCOL_TCP, 32);
      return;
    case 'notLoopback':
      writeHead(at, match.noneSet, type.uint32);
      at.writeUInt32LE(FLAG_IS_LOOPBACK, 32);
      return;
    case 'remotePorts':
      writeHead(at, match.range, type.range);
      point(at, 32, rangeBytes(test.range), parts);
      return;
    case 'remoteNet':
      writeHead(at, match.equal, familyOf(test.net.address) === 4 ? type.net4 : type.net6);
      point(at, 32, netBytes(test.net.address, test.net.prefix), parts);
  }
}

function writeHead(at: Buffer, matchType: number, valueType: number): void {
  at.writeUInt32LE(matchType, 16);
  at.writeUInt32LE(valueType, 24);
}

function rangeBytes({ first, last }: PortRange): Buffer {
  const bytes = Buffer.alloc(32);
  for (const [at, port] of [
    [0, first],
    [16, last],
  ] as const) {
    bytes.writeUInt32LE(type.uint16, at);
    bytes.writeUInt16LE(port, at + 8);
  }
  return bytes;
}

// IPv4 as a number and its mask, IPv6 as bytes and the prefix's length.
function netBytes(address: IpAddress, prefix: number): Buffer {
  const octets = Buffer.from(addressToBytes(address));
  if (octets.length !== 4) return Buffer.concat([octets, Buffer.from([Math.min(prefix, 128)])]);
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(octets.readUInt32BE(), 0);
  bytes.writeUInt32LE(prefix === 0 ? 0 : (0xffff_ffff << (32 - Math.min(prefix, 32))) >>> 0, 4);
  return bytes;
}

function textOf(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le');
}

function point(from: Buffer, at: number, to: Buffer, parts: Buffer[]): void {
  parts.push(to);
  from.writeBigUInt64LE(koffi.address(to), at);
}
