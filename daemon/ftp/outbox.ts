// What a session says, in order. Replies to the client keep their order too: while one waits for its data to end, those that
// follow it wait behind it.
import type { Effect } from './effects.js';
import type { TimerName } from './events.js';
import { HELD_REPLIES_MAX } from './limits.js';

/** Collects effects between two `take`s. Holds at most HELD_REPLIES_MAX bytes back, then is `overflowing` for good. */
export class Outbox {
  readonly #timers = new Set<TimerName>();
  #effects: Effect[] = [];
  #behind: Uint8Array[] = [];
  #behindBytes = 0;
  #holding = false;
  #sealed = false;

  emit(effect: Effect): void {
    if (!this.#sealed) this.#effects.push(effect);
  }

  toServer(bytes: Uint8Array): void {
    if (bytes.length > 0) this.emit({ kind: 'sendServer', bytes });
  }

  toClient(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (!this.#holding) {
      this.emit({ kind: 'sendClient', bytes });
      return;
    }
    this.#behindBytes += bytes.length;
    if (!this.overflowing) this.#behind.push(bytes);
  }

  /** A reply is being kept back: what follows it waits. */
  hold(): void {
    this.#holding = true;
  }

  /** The reply that was kept back, and what waited behind it. */
  release(reply: Uint8Array): void {
    const waiting = this.#behind;
    this.#holding = false;
    this.#behind = [];
    this.#behindBytes = 0;
    for (const bytes of [reply, ...waiting]) this.toClient(bytes);
  }

  /** More waits than may; the session has to end. */
  get overflowing(): boolean {
    return this.#behindBytes > HELD_REPLIES_MAX;
  }

  setTimer(timer: TimerName, ms: number): void {
    this.#timers.add(timer);
    this.emit({ kind: 'setTimer', timer, ms });
  }

  /** Nothing happens if the timer does not run. */
  clearTimer(timer: TimerName): void {
    if (this.#timers.delete(timer)) this.emit({ kind: 'clearTimer', timer });
  }

  /** A timer went off; false if it had been cleared in the meantime. */
  expire(timer: TimerName): boolean {
    return this.#timers.delete(timer);
  }

  /** Nothing can be added any more; what is there can still be taken. */
  seal(): void {
    this.#sealed = true;
  }

  take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
