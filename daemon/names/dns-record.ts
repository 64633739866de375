// One resource record of the DNS in wire format (RFC 1035 section 3.2.1), as systemd-resolved hands it on: alone, so without compression.
import { familyOf, parseIpAddress, type IpAddress } from '../../shared/endpoint.js';
import { parseHostname } from '../host-match.js';

export type DnsRecord =
  | { readonly kind: 'address'; readonly owner: string; readonly ttl: number; readonly address: IpAddress }
  | { readonly kind: 'alias'; readonly owner: string; readonly ttl: number; readonly target: string };

const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
/** Type, class, time to live and the length of the data. */
const FIXED = 10;
/** RFC 1035 section 2.3.4. */
const NAME_MAX = 255;
/** RFC 2181 section 8: with the highest bit set it counts as zero. */
const TTL_MAX = 0x7fff_ffff;

/** The record; undefined for other kinds, for names that no server has, and for what is no whole record. Never throws. */
export function readDnsRecord(bytes: Buffer): DnsRecord | undefined {
  const owner = readName(bytes, 0);
  if (owner === undefined || bytes.length < owner.end + FIXED) return undefined;
  const { name, end } = owner;
  const seconds = bytes.readUInt32BE(end + 4);
  const ttl = seconds > TTL_MAX ? 0 : seconds;
  const data = bytes.subarray(end + FIXED);
  if (bytes.readUInt16BE(end + 2) !== CLASS_IN || data.length !== bytes.readUInt16BE(end + 8))
    return undefined;
  const type = bytes.readUInt16BE(end);
  if (type === TYPE_CNAME) {
    const target = readName(data, 0);
    return target?.end === data.length ? { kind: 'alias', owner: name, ttl, target: target.name } : undefined;
  }
  const address = readAddress(type, data);
  return address === undefined ? undefined : { kind: 'address', owner: name, ttl, address };
}

function readAddress(type: number, data: Buffer): IpAddress | undefined {
  if (type === TYPE_A && data.length === 4) return parseIpAddress([...data].join('.'));
  if (type !== TYPE_AAAA || data.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => data.readUInt16BE(index * 2).toString(16));
  const address = parseIpAddress(groups.join(':'));
  return address !== undefined && familyOf(address) === 6 ? address : undefined;
}

/** A name of at least one label that could be a host's. */
function readName(bytes: Buffer, start: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63 || at - start > NAME_MAX) return undefined;
    at += 1;
    if (length === 0) break;
    labels.push(bytes.toString('latin1', at, at + length));
    at += length;
  }
  const name = parseHostname(labels.join('.'));
  return name === undefined || labels.some((label) => label.includes('.')) ? undefined : { name, end: at };
}
