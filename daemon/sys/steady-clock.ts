// The clock for waits, ages and limits. The machine's clock may jump: a person sets it, the network corrects it by years after a
// boot without a battery. This one goes on at its pace; it stands still while the machine sleeps, as all timers of Node do.

/** Milliseconds; only differences between two calls mean anything. */
export function steadyNow(): number {
  return performance.now();
}

/** A moment of the steady clock as Unix milliseconds, by what the machine's clock says now: for people. */
export function shownTime(steady: number): number {
  return Math.round(steady - steadyNow() + Date.now());
}

/** What keeps moments: `now` for its own reckoning, `shown` for what it tells people. */
export interface Clock {
  readonly now: () => number;
  readonly shown: (moment: number) => number;
}

export const steadyClock: Clock = { now: steadyNow, shown: shownTime };
