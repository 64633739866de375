// Packets from WinDivert. Run under Wine, with a stand-in for the driver, and on no Windows yet (docs/windows.md).
import { WinDivertBatch } from './windivert-batch.js';
import type { PacketSource } from './packet-source.js';
import type { DivertHandle, WinDivert } from './windivert.js';

/** Room for 255 segments of an Ethernet, or for a few large ones. */
const BATCH_BYTES = 512 * 1024;

export class WinDivertSource implements PacketSource {
  readonly batch = new WinDivertBatch(BATCH_BYTES);
  /** The driver computes the sums of what comes back in. */
  readonly duty = 'leave';
  readonly #divert: WinDivert;
  readonly #handle: DivertHandle;

  constructor(divert: WinDivert, handle: DivertHandle) {
    this.#divert = divert;
    this.#handle = handle;
  }

  // The driver knows no time-out. Nothing waits for it: orders are read before every batch, so they hold for every packet that
  // is sent after them, and what has expired is forgotten when the next packet comes.
  receive(): number | undefined {
    return this.#divert.receive(this.#handle, this.batch);
  }

  reflect(index: number): void {
    this.batch.reflect(index);
  }

  pass(index: number): void {
    this.batch.pass(index);
  }

  flush(): void {
    this.#divert.send(this.#handle, this.batch);
  }
}
