// What WinDivert reads at once: packets without gaps and an address of 80 bytes for each. Finds the packets, marks what comes back
// in, and closes the gaps that dropped packets leave, because what is sent must be without gaps too. No I/O.
import type { PacketBatch } from './packet-source.js';

/** Bytes of a WINDIVERT_ADDRESS. */
export const ADDRESS_SIZE = 80;
/** The most packets that WinDivert reads at once. */
export const MAX_PACKETS = 255;

/** The byte of an address that holds its flags, and those that matter here. */
const FLAGS_AT = 10;
const OUTBOUND = 0x02;
const IP_SUM_VALID = 0x20;
const TCP_SUM_VALID = 0x40;

export class WinDivertBatch implements PacketBatch {
  readonly bytes: Buffer;
  readonly addresses = Buffer.alloc(ADDRESS_SIZE * MAX_PACKETS);
  readonly offsets = new Uint32Array(MAX_PACKETS);
  readonly lengths = new Uint32Array(MAX_PACKETS);
  readonly #keep = new Uint8Array(MAX_PACKETS);
  #count = 0;

  /** `size`: room for a batch; at least one packet of 65,575 bytes must fit. */
  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
  }

  /** Takes in what was read: `length` bytes, `addressLength` bytes of addresses. Returns the number of packets. */
  begin(length: number, addressLength: number): number {
    const announced = Math.min(MAX_PACKETS, Math.floor(addressLength / ADDRESS_SIZE));
    let at = 0;
    let count = 0;
    while (count < announced && at < length) {
      const size = packetLength(this.bytes, at, length - at);
      this.offsets[count] = at;
      this.lengths[count] = size;
      this.#keep[count] = 0;
      at += size;
      count += 1;
    }
    this.#count = count;
    return count;
  }

  /** Packet `index` goes on as it is. */
  pass(index: number): void {
    this.#keep[index] = 1;
  }

  /** Packet `index` comes back in. Both sums are left to the driver: a packet larger than a segment may carry unfinished ones. */
  reflect(index: number): void {
    this.#keep[index] = 1;
    const at = index * ADDRESS_SIZE + FLAGS_AT;
    this.addresses[at] = (this.addresses[at] ?? 0) & ~(OUTBOUND | IP_SUM_VALID | TCP_SUM_VALID);
  }

  /** Moves what is kept to the front; returns how many bytes of packets and of addresses are to be sent. */
  compact(): { readonly length: number; readonly addressLength: number } {
    let length = 0;
    let kept = 0;
    for (let index = 0; index < this.#count; index += 1) {
      if (this.#keep[index] === 0) continue;
      const [from, size] = [this.offsets[index] ?? 0, this.lengths[index] ?? 0];
      if (from !== length) this.bytes.copyWithin(length, from, from + size);
      if (index !== kept) {
        this.addresses.copyWithin(kept * ADDRESS_SIZE, index * ADDRESS_SIZE, (index + 1) * ADDRESS_SIZE);
      }
      length += size;
      kept += 1;
    }
    return { length, addressLength: kept * ADDRESS_SIZE };
  }
}

/** What the IP header says, if that can be; a packet whose length is left to the network card is the last one of its batch. */
function packetLength(bytes: Buffer, at: number, left: number): number {
  const version = (bytes[at] ?? 0) >> 4;
  if (version === 4 && left >= 20) return bounded(bytes.readUInt16BE(at + 2), 20, left);
  if (version === 6 && left >= 40) return bounded(40 + bytes.readUInt16BE(at + 4), 41, left);
  return left;
}

function bounded(size: number, least: number, left: number): number {
  return size < least || size > left ? left : size;
}
