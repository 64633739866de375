// Who may use the manager: one-time tokens in URLs, and the sessions that browsers get for them. All in memory, all bounded.
import { createHash, randomBytes } from 'node:crypto';

/** A browser that is slow to start has opened the page by then. */
const tokenLifeMs = 60_000;
/** More windows than that at once is nobody's desktop. */
export const MAX_TOKENS = 32;
export const MAX_SESSIONS = 16;
/** A page that is open keeps its session; this is for those that were closed. */
const sessionLifeMs = 30 * 60 * 1000;

/** The pages that a token may lead to. */
const pagePath = /^(?:now|keys|policy|history|checkup|question\/[0-9a-f-]{1,64})$/;

export interface BrowserSession {
  /** What the cookie holds. */
  readonly id: string;
  /** What every change must carry besides, out of the page itself. */
  readonly csrf: string;
  usedAt: number;
}

interface Token {
  readonly page: string;
  readonly until: number;
}

export class AccessBook {
  readonly #tokens = new Map<string, Token>();
  readonly #sessions = new Map<string, BrowserSession>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A token that opens this page once, within a minute. An unknown page is the page `now`. */
  issue(page: string): string {
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size >= MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest);
    const token = randomBytes(32).toString('base64url');
    const known = pagePath.test(page) ? page : 'now';
    this.#tokens.set(digest(token), { page: known, until: this.#now() + tokenLifeMs });
    return token;
  }

  /** Takes the token away and returns its page; undefined for one that was used, is too old or never was. */
  redeem(token: string): string | undefined {
    const key = digest(token);
    const found = this.#tokens.get(key);
    this.#tokens.delete(key);
    return found !== undefined && this.#now() <= found.until ? found.page : undefined;
  }

  open(): BrowserSession {
    this.#dropOld();
    if (this.#sessions.size >= MAX_SESSIONS) this.#dropQuietest();
    const session = { id: secret(), csrf: secret(), usedAt: this.#now() };
    this.#sessions.set(digest(session.id), session);
    return session;
  }

  /** The session of a cookie, which is used now. */
  find(id: string | undefined): BrowserSession | undefined {
    this.#dropOld();
    const session = id === undefined ? undefined : this.#sessions.get(digest(id));
    if (session !== undefined) session.usedAt = this.#now();
    return session;
  }

  #dropOld(): void {
    const now = this.#now();
    for (const [key, { usedAt }] of this.#sessions) {
      if (now - usedAt > sessionLifeMs) this.#sessions.delete(key);
    }
  }

  #dropQuietest(): void {
    const [quietest] = [...this.#sessions].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (quietest !== undefined) this.#sessions.delete(quietest[0]);
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

/** Looked up by digest: how long a look-up takes says nothing about the secret. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
