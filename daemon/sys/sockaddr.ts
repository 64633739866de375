// The kernel's sockaddr_in and sockaddr_in6 as values. Pure.
import { parseIpAddress, parsePort } from '../../shared/endpoint.js';
import type { Endpoint, IpAddress } from '../../shared/endpoint.js';

export const AF_INET = 2;
export const AF_INET6 = 10;

/** 4 or 16 raw bytes as an address; an IPv4-mapped one comes out as IPv4. `undefined` for any other length. */
export function addressFromBytes(bytes: Uint8Array): IpAddress | undefined {
  if (bytes.length === 4) return parseIpAddress(bytes.join('.'));
  if (bytes.length !== 16) return undefined;
  const hex = Buffer.from(bytes).toString('hex');
  return parseIpAddress(hex.match(/.{4}/g)?.join(':'));
}

/** The raw bytes of an address, 4 or 16. */
export function addressToBytes(address: IpAddress): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const bytes = Buffer.alloc(16);
  left.forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  right.forEach((group, index) => bytes.writeUInt16BE(group, (8 - right.length + index) * 2));
  return bytes;
}

/** A sockaddr as an endpoint; `undefined` for other families, a zero port, or too few bytes. */
export function parseSockaddr(raw: Buffer): Endpoint | undefined {
  if (raw.length < 8) return undefined;
  const family = raw.readUInt16LE(0);
  const port = parsePort(raw.readUInt16BE(2));
  const address = addressIn(raw, family);
  return port === undefined || address === undefined ? undefined : { address, port };
}

function addressIn(raw: Buffer, family: number): IpAddress | undefined {
  if (family === AF_INET) return addressFromBytes(raw.subarray(4, 8));
  if (family === AF_INET6 && raw.length >= 24) return addressFromBytes(raw.subarray(8, 24));
  return undefined;
}
