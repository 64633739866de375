// Who has paused ftpseal for themselves, and until when. A pause is kept in memory only: a restart ends it.
import { Fault } from '../../shared/fault.js';
import { steadyClock, type Clock } from '../sys/steady-clock.js';
import type { UserId } from '../../shared/user-id.js';

export interface PauseOptions {
  /** Tests give another clock. */
  readonly clock?: Clock;
  /** Why nobody can pause here, or undefined. */
  readonly obstacle: Fault | undefined;
}

/** One entry a user, so at most as many as there are users who paused and were not looked at since. */
export class Pauses {
  readonly #options: PauseOptions;
  readonly #clock: Clock;
  /** By the steady clock: a machine's clock that is set back must not make a pause longer. */
  readonly #until = new Map<UserId, number>();

  constructor(options: PauseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? steadyClock;
  }

  /** Pauses for `ms` from now, in place of what was there. Returns when it ends (Unix milliseconds). Throws the obstacle. */
  start(uid: UserId, ms: number): number {
    if (this.#options.obstacle !== undefined) throw this.#options.obstacle;
    const until = this.#clock.now() + ms;
    this.#until.set(uid, until);
    return this.#clock.shown(until);
  }

  /** Does nothing where nothing is paused. */
  end(uid: UserId): void {
    this.#until.delete(uid);
  }

  /** When the pause of this user ends (Unix milliseconds); undefined if there is none. A connection whose user nobody knows is never paused. */
  untilOf(uid: UserId | undefined): number | undefined {
    if (uid === undefined) return undefined;
    const until = this.#until.get(uid);
    if (until === undefined) return undefined;
    if (until > this.#clock.now()) return this.#clock.shown(until);
    this.#until.delete(uid);
    return undefined;
  }
}

/** Why nobody can pause: there is no redirect to pause, or the administrator does not allow it, or no cleartext at all. */
export function pauseObstacle(
  mode: 'redirect' | 'explicit',
  cleartext: 'allow' | 'warn' | 'ask' | 'refuse',
  mayPause: boolean,
): Fault | undefined {
  if (mode === 'explicit') {
    return new Fault(
      'usage',
      'There is nothing to pause: only programs that were pointed at this proxy use it. Point them at the server instead.',
    );
  }
  if (!mayPause) {
    return new Fault(
      'not-permitted',
      'The administrator has locked this (users.may_pause = false): ftpseal can’t be paused.',
    );
  }
  if (cleartext !== 'refuse') return undefined;
  return new Fault(
    'not-permitted',
    'The administrator allows no FTP without encryption (fallback.cleartext = "refuse"), so ftpseal can’t be paused.',
  );
}
