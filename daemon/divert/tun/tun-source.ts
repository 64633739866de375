// Packets from a TUN device: what the machine's rules send there is read, what comes back in is written, what goes on leaves
// through a raw socket with a mark that keeps it from coming round again.
import { AF_INET, AF_INET6 } from '../../sys/sockaddr.js';
import { readPacket, sendPacket, pollList, waitFor, writePacket } from './kernel.js';
import type { PacketBatch, PacketSource } from '../windows/packet-source.js';

/** Descriptors of the process; whoever opened them closes them after the loop has ended. */
export interface TunFiles {
  readonly tun: number;
  readonly wakeup: number;
  readonly raw4: number;
  readonly raw6: number;
}

/** The device's MTU. */
export const TUN_MTU = 9000;
const SLOT = 9216;
const PACKETS = 64;

export class TunSource implements PacketSource {
  readonly batch: PacketBatch;
  /** The device has no offloading: what is read has whole checksums, and what is written is checked. */
  readonly duty = 'adjust';
  readonly #files: TunFiles;
  readonly #slots: readonly Uint8Array[];
  readonly #waiting: Buffer;
  readonly #counter = Buffer.alloc(8);
  readonly #to4 = Buffer.alloc(16);
  readonly #to6 = Buffer.alloc(28);

  constructor(files: TunFiles) {
    const bytes = new Uint8Array(SLOT * PACKETS);
    const offsets = Uint32Array.from({ length: PACKETS }, (_, index) => index * SLOT);
    this.batch = { bytes, offsets, lengths: new Uint32Array(PACKETS) };
    this.#files = files;
    this.#slots = Array.from(offsets, (offset) => bytes.subarray(offset, offset + SLOT));
    this.#waiting = pollList([files.wakeup, files.tun]);
    this.#to4.writeUInt16LE(AF_INET, 0);
    this.#to6.writeUInt16LE(AF_INET6, 0);
  }

  receive(timeoutMs: number): number | undefined {
    // While packets come in, nobody has to wait for them.
    const count = this.#read();
    if (count !== 0 || timeoutMs === 0) return count;
    if (waitFor(this.#waiting, timeoutMs)) readPacket(this.#files.wakeup, this.#counter);
    return this.#read();
  }

  #read(): number | undefined {
    for (const [index, slot] of this.#slots.entries()) {
      const length = readPacket(this.#files.tun, slot);
      if (length < 0) return index === 0 ? undefined : index;
      if (length === 0) return index;
      this.batch.lengths[index] = length;
    }
    return PACKETS;
  }

  reflect(index: number): void {
    const slot = this.#slots[index];
    if (slot !== undefined) writePacket(this.#files.tun, slot, this.batch.lengths[index] ?? 0);
  }

  pass(index: number): void {
    const slot = this.#slots[index];
    const length = this.batch.lengths[index] ?? 0;
    if (slot === undefined) return;
    if ((slot[0] ?? 0) >> 4 === 4) {
      this.#to4.set(slot.subarray(16, 20), 4);
      sendPacket(this.#files.raw4, slot, length, this.#to4);
    } else {
      this.#to6.set(slot.subarray(24, 40), 8);
      sendPacket(this.#files.raw6, slot, length, this.#to6);
    }
  }

  flush(): void {
    // Every packet has been carried out already.
  }
}
