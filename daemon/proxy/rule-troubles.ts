// What `status` says about redirect rules that another program removed.
import { visible } from '../sys/visible.js';
import type { RuleNews } from '../privops.js';

/** For a day: long enough to be seen, and then it is history. */
const KEPT_MS = 24 * 3_600_000;

/** Of one proxy's life. Times are Unix milliseconds. */
export class RuleTroubles {
  #repairs = 0;
  #by: string | undefined;
  #last = 0;
  #lost: string | undefined;

  hear(news: RuleNews, now: number): void {
    if (news.kind === 'rulesLost') {
      this.#lost = news.sentence;
      return;
    }
    this.#lost = undefined;
    this.#repairs += 1;
    this.#by = news.by;
    this.#last = now;
  }

  sentences(now: number): readonly string[] {
    if (this.#lost !== undefined)
      return [`Rules of ftpseal were removed by another program and can’t be put back: ${this.#lost}`];
    if (this.#repairs === 0 || Math.abs(now - this.#last) > KEPT_MS) return [];
    const who = this.#by === undefined ? 'Another program' : `Another program (${visible(this.#by)})`;
    const at = new Date(this.#last).toISOString().slice(0, 16).replace('T', ' ');
    const times = this.#repairs === 1 ? 'once' : `${this.#repairs} times`;
    return [`${who} removed rules of ftpseal. They were put back (${times}, last at ${at} UTC).`];
  }
}
