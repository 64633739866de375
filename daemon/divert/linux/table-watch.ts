// The kernel's notifications about nftables, gathered on a socket that is looked at when the owner wants. Node can't wait for
// a netlink socket, and a thread or a child process (nft monitor) for it would be one more thing to die; looking costs microseconds.
import {
  ERRNO,
  ErrnoError,
  bindDescriptor,
  closeDescriptor,
  openSocket,
  receiveBytes,
  setSocketOption,
} from '../../sys/libc.js';
import { afterMessages, noChanges } from './table-events.js';
import type { TableStates } from './table-events.js';

/** What is known of the tables by now; the same table stays as it is until the kernel says otherwise. */
export interface TableWatch {
  look(): TableStates;
  close(): void;
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const NETLINK_NETFILTER = 12;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NFNLGRP_NFTABLES = 7;
/** More datagrams than a look takes are left for the next one. */
const DATAGRAMS_MAX = 4096;

/** Watches these tables of the family inet from now on. Throws an ErrnoError where the kernel does not let us. */
export function watchTables(tables: readonly string[]): TableWatch {
  const fd = openSocket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_NETFILTER);
  try {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK);
    bindDescriptor(fd, address);
    setSocketOption(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
  const buffer = Buffer.alloc(65536);
  let known = noChanges;
  return {
    look: () => {
      known = readAll(fd, buffer, tables, known);
      return known;
    },
    close: () => {
      closeDescriptor(fd);
    },
  };
}

function readAll(fd: number, buffer: Buffer, tables: readonly string[], before: TableStates): TableStates {
  let known = before;
  for (let count = 0; count < DATAGRAMS_MAX; count += 1) {
    try {
      const length = receiveBytes(fd, buffer);
      known = afterMessages(known, tables, buffer.subarray(0, length));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      if (error.errno === ERRNO.EAGAIN) break;
      // Others changed so much that notifications were lost: anything may have happened to ours.
      if (error.errno === ERRNO.ENOBUFS) known = allDamaged(tables);
      else if (error.errno !== ERRNO.EINTR) throw error;
    }
  }
  return known;
}

function allDamaged(tables: readonly string[]): TableStates {
  return { states: new Map(tables.map((table) => [table, 'damaged'])), by: undefined, unsigned: false };
}
