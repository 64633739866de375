// The question "where was this connection going" as macOS' pf takes it: struct pfioc_natlook and the number of DIOCNATLOOK
// (XNU, bsd/net/pfvar.h, which no SDK carries). Pure. Unrun: no Mac has answered it yet (docs/macos.md).
import { familyOf, parsePort, type Endpoint } from '../../../shared/endpoint.js';
import { addressFromBytes, addressToBytes } from '../../sys/sockaddr.js';
import type { AcceptedEnds } from '../diverter.js';

/** Offsets in bytes: four addresses of 16, four ports in unions of 4 (Apple's own; elsewhere they are 2), four single bytes. */
export const NATLOOK = {
  saddr: 0,
  daddr: 16,
  rdaddr: 48,
  sxport: 64,
  dxport: 68,
  rdxport: 76,
  af: 80,
  proto: 81,
  direction: 83,
  size: 84,
} as const;

const AF_INET = 2;
/** Darwin's; Linux has another. */
const AF_INET6 = 30;
const IPPROTO_TCP = 6;
const PF_OUT = 2;

/** `_IOWR(group, number, …)` of BSD's sys/ioccom.h, for an argument of `size` bytes. */
export function ioctlReadWrite(group: string, number: number, size: number): number {
  const IOC_INOUT = 0xc000_0000;
  const IOCPARM_MASK = 0x1fff;
  return (IOC_INOUT | ((size & IOCPARM_MASK) << 16) | (group.charCodeAt(0) << 8) | number) >>> 0;
}

export const DIOCNATLOOK = ioctlReadWrite('D', 23, NATLOOK.size);

/**
 * The question about an accepted connection; undefined if its ends are of two families. Addresses and ports are in network order.
 * "Out", because pf finds the state by the way that the answers take.
 */
export function formatNatlook({ peer, local }: AcceptedEnds): Buffer | undefined {
  const family = familyOf(peer.address);
  if (familyOf(local.address) !== family) return undefined;
  const raw = Buffer.alloc(NATLOOK.size);
  addressToBytes(peer.address).copy(raw, NATLOOK.saddr);
  addressToBytes(local.address).copy(raw, NATLOOK.daddr);
  raw.writeUInt16BE(peer.port, NATLOOK.sxport);
  raw.writeUInt16BE(local.port, NATLOOK.dxport);
  raw.writeUInt8(family === 4 ? AF_INET : AF_INET6, NATLOOK.af);
  raw.writeUInt8(IPPROTO_TCP, NATLOOK.proto);
  raw.writeUInt8(PF_OUT, NATLOOK.direction);
  return raw;
}

/** The destination before the redirect, as the kernel has filled it in; undefined if it filled in none. */
export function readNatlook(raw: Buffer): Endpoint | undefined {
  const size = raw.readUInt8(NATLOOK.af) === AF_INET ? 4 : 16;
  const address = addressFromBytes(raw.subarray(NATLOOK.rdaddr, NATLOOK.rdaddr + size));
  const port = parsePort(raw.readUInt16BE(NATLOOK.rdxport));
  return address === undefined || port === undefined ? undefined : { address, port };
}
