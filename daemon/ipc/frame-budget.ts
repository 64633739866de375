// How many bytes of requests the daemon holds for each user at a time, over all of that user's connections.
import { MAX_IPC_MESSAGE } from '../../shared/ipc-messages.js';
import type { UserId } from '../../shared/user-id.js';

/** Two of the largest messages: one under way, and one behind it. */
const maxHeld = 2 * MAX_IPC_MESSAGE;

/** See the head of the file. Nothing else keeps many connections with a large unanswered request each from filling the memory. */
export class FrameBudget {
  readonly #held = new Map<UserId, number>();

  /** Counts a message of that many bytes, announced or here; false if it is too much. What was claimed is given back in any case. */
  claim(uid: UserId, bytes: number): boolean {
    const held = (this.#held.get(uid) ?? 0) + bytes;
    this.#held.set(uid, held);
    return held <= maxHeld;
  }

  release(uid: UserId, bytes: number): void {
    const held = (this.#held.get(uid) ?? 0) - bytes;
    if (held > 0) this.#held.set(uid, held);
    else this.#held.delete(uid);
  }
}
