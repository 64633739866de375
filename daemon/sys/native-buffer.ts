// Memory whose address is known, for calls that fill or empty a part of it. Every address that is handed out is checked against
// the memory's bounds here: what a native call does behind them would not show before the process dies of it.
import koffi from 'koffi';

/** Lives as long as the object is referred to; its address never changes. Not cleared. */
export class NativeBuffer {
  readonly size: number;
  readonly #bytes: Buffer;
  readonly #address: number;

  constructor(size: number) {
    this.size = size;
    this.#bytes = Buffer.allocUnsafeSlow(size);
    // Below 2^47 on every system that Node runs on.
    this.#address = Number(koffi.address(this.#bytes));
  }

  /** The address of `length` bytes from `at` on. Throws a RangeError if they are not all inside. */
  address(at: number, length: number): number {
    const isInside = Number.isInteger(at) && Number.isInteger(length) && at >= 0 && length >= 0;
    if (!isInside || at + length > this.size)
      throw new RangeError(`${length} bytes at ${at} of ${this.size}`);
    return this.#address + at;
  }

  /**
   * Does nothing. A call that was given an address alone does not keep the memory from being collected; this, after it, does.
   */
  keep(): void {
    this.address(0, 0);
  }

  /** A view of `length` bytes from `at` on; a copy of them is the caller's business. */
  view(at: number, length: number): Buffer {
    this.address(at, length);
    return this.#bytes.subarray(at, at + length);
  }
}
