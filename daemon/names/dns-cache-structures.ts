// The structures of dnsapi.dll in a process of 64 bits: the table of its cache (DnsGetCacheDataTable, which no documentation has) and
// DNS_RECORDW. They are read through `Memory`, which knows what may be read, so a layout that is another one yields nothing worse than nothing.
import { familyOf, parseIpAddress } from '../../shared/endpoint.js';
import { parseHostname } from '../host-match.js';
import type { DnsRecord } from './dns-record.js';

/** That many bytes at the address; undefined if they can't all be read. */
export type Memory = (address: bigint, length: number) => Buffer | undefined;

export const recordType = { a: 1, cname: 5, aaaa: 28 } as const;

/** One line of the cache. */
export interface CachedName {
  /** As `parseHostname` gives it. */
  readonly name: string;
  readonly type: number;
}

export interface CacheTable {
  readonly names: readonly CachedName[];
  /** False if there was more than was read. */
  readonly isWhole: boolean;
  /** What the caller has to free, each once: the lines and their names. */
  readonly blocks: readonly bigint[];
}

/** Lines that are read; the cache of a desktop has some hundreds. */
const LINES_MAX = 4096;
/** Lines that are freed. A longer list is none. */
const FREED_MAX = 65_536;
/** Records of one answer. */
const RECORDS_MAX = 256;
const LINE = { bytes: 24, name: 8, type: 16 } as const;
const RECORD = { bytes: 32, name: 8, type: 16, ttl: 24 } as const;
/** UTF-16 units of a name, with room for what is none. */
const NAME_UNITS = 256;
/** Divides every page, so no piece of a text lies in two. */
const PIECE = 64n;

/** The lines for addresses and aliases whose names could be a host's. */
export function readCacheTable(memory: Memory, first: bigint): CacheTable {
  const names: CachedName[] = [];
  const blocks = new Set<bigint>();
  let isWhole = true;
  let lines = 0;
  for (let at = first; at !== 0n; lines += 1) {
    const line = lines < FREED_MAX && !blocks.has(at) ? memory(at, LINE.bytes) : undefined;
    if (line === undefined) return { names, isWhole: false, blocks: [...blocks] };
    const nameAt = line.readBigUInt64LE(LINE.name);
    if (lines < LINES_MAX) names.push(...nameOfLine(memory, nameAt, line.readUInt16LE(LINE.type)));
    else isWhole = false;
    blocks.add(at);
    if (nameAt !== 0n) blocks.add(nameAt);
    at = line.readBigUInt64LE(0);
  }
  return { names, isWhole, blocks: [...blocks] };
}

function nameOfLine(memory: Memory, nameAt: bigint, type: number): readonly CachedName[] {
  if (type !== recordType.a && type !== recordType.aaaa && type !== recordType.cname) return [];
  const name = readName(memory, nameAt);
  return name === undefined ? [] : [{ name, type }];
}

/** The addresses and aliases of an answer. */
export function readRecords(memory: Memory, first: bigint): readonly DnsRecord[] {
  const records: DnsRecord[] = [];
  let at = first;
  for (let count = 0; at !== 0n && count < RECORDS_MAX; count += 1) {
    const head = memory(at, RECORD.bytes);
    if (head === undefined) break;
    records.push(...readRecord(memory, head, at + BigInt(RECORD.bytes)));
    at = head.readBigUInt64LE(0);
  }
  return records;
}

function readRecord(memory: Memory, head: Buffer, dataAt: bigint): readonly DnsRecord[] {
  const owner = readName(memory, head.readBigUInt64LE(RECORD.name));
  if (owner === undefined) return [];
  const ttl = head.readUInt32LE(RECORD.ttl);
  switch (head.readUInt16LE(RECORD.type)) {
    case recordType.a:
      return addressRecord(owner, ttl, ipv4Text(memory(dataAt, 4)), 4);
    case recordType.aaaa:
      return addressRecord(owner, ttl, ipv6Text(memory(dataAt, 16)), 6);
    case recordType.cname: {
      const target = readName(memory, memory(dataAt, 8)?.readBigUInt64LE() ?? 0n);
      return target === undefined ? [] : [{ kind: 'alias', owner, ttl, target }];
    }
    default:
      return [];
  }
}

function addressRecord(
  owner: string,
  ttl: number,
  text: string | undefined,
  family: 4 | 6,
): readonly DnsRecord[] {
  const address = parseIpAddress(text);
  // An AAAA record with a mapped IPv4 address is nobody's.
  if (address === undefined || familyOf(address) !== family) return [];
  return [{ kind: 'address', owner, ttl, address }];
}

function ipv4Text(bytes: Buffer | undefined): string | undefined {
  return bytes && [...bytes].join('.');
}

function ipv6Text(bytes: Buffer | undefined): string | undefined {
  return bytes && Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(n * 2).toString(16)).join(':');
}

function readName(memory: Memory, address: bigint): string | undefined {
  if (address === 0n || address % 2n !== 0n) return undefined;
  let text = '';
  for (let at = address; text.length < NAME_UNITS; at += PIECE - (at % PIECE)) {
    const piece = memory(at, Number(PIECE - (at % PIECE)));
    if (piece === undefined) return undefined;
    text += piece.toString('utf16le');
    const end = text.indexOf('\0');
    if (end >= 0) return parseHostname(text.slice(0, end));
  }
  return undefined;
}
