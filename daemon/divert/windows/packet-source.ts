// Where packets come from and go to: WinDivert on Windows, a TUN device on Linux, a list in a test. The packet loop
// knows no more of the operating system than this.
import type { ChecksumDuty } from './reflection.js';

/** Packets read at once: packet `n` is `bytes[offsets[n] .. offsets[n] + lengths[n])`. Overwritten by the next `receive`. */
export interface PacketBatch {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
}

/** All methods are synchronous and for one thread. Only `receive` waits. */
export interface PacketSource {
  readonly batch: PacketBatch;
  readonly duty: ChecksumDuty;
  /**
   * Waits for outbound packets, at most `timeoutMs`, and returns how many are in the batch: 0 if the time is over or if another
   * thread wants this one to look at its commands; `undefined` if there will never be another packet.
   */
  receive(timeoutMs: number): number | undefined;
  /** Brings packet `index`, as it stands in the batch now, in as if it had arrived from the network. */
  reflect(index: number): void;
  /** Sends packet `index` on to where it was going. */
  pass(index: number): void;
  /** Carries out whatever `reflect` and `pass` have only noted. */
  flush(): void;
}
