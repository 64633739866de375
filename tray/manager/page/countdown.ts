// How long a program still waits. The count stops when the person begins to deal with the question: the server then gives more time.
import { el, fill } from './dom.js';
import { icon } from './icons.js';
import { clock } from './words.js';

export interface CountdownOptions {
  readonly program: string;
  /** The server's clock now, and when the last one that waits gives up; undefined: nobody waits. */
  readonly now: number;
  readonly deadline: number | undefined;
  readonly refused: number;
  /** Asks for more time; resolves with the new end. */
  readonly hold: () => Promise<number | undefined>;
}

export class Countdown {
  readonly element = el('p', { class: 'countdown' });
  readonly #options: CountdownOptions;
  /** Milliseconds by which the server's clock is ahead of this one. */
  readonly #ahead: number;
  #deadline: number | undefined;
  #held = false;
  #timer: number | undefined;

  constructor(options: CountdownOptions) {
    this.#options = options;
    this.#ahead = options.now - Date.now();
    this.#deadline = options.deadline;
    this.#show();
    this.#timer = window.setInterval(() => {
      this.#show();
    }, 500);
    for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const) {
      document.addEventListener(kind, this.#touched, { passive: true });
    }
  }

  /** The newest deadline, from the server. */
  update(deadline: number | undefined): void {
    this.#deadline = deadline;
    this.#show();
  }

  stop(): void {
    window.clearInterval(this.#timer);
    this.#timer = undefined;
    for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const) {
      document.removeEventListener(kind, this.#touched);
    }
  }

  readonly #touched = (): void => {
    if (this.#held || this.#left() <= 0) return;
    this.#held = true;
    this.#show();
    this.#options.hold().then(
      (deadline) => {
        this.update(deadline ?? this.#deadline);
      },
      () => {
        this.#held = false;
      },
    );
  };

  #left(): number {
    return this.#deadline === undefined ? 0 : this.#deadline - this.#ahead - Date.now();
  }

  #show(): void {
    const { program, refused } = this.#options;
    const left = Math.ceil(this.#left() / 1000);
    const state = left <= 0 ? 'over' : this.#held ? 'held' : 'counting';
    const text = {
      over: overText(refused),
      held: `Take your time: ${program} waits until ${clock((this.#deadline ?? 0) - this.#ahead)}.`,
      counting: `${program} waits ${left} s for your answer.`,
    }[state];
    if (this.element.textContent === text) return;
    this.element.dataset['state'] = state;
    fill(this.element, icon(state === 'over' ? 'passed' : 'pending'), text);
  }
}

function overText(refused: number): string {
  return refused > 0
    ? 'The connection was stopped at once. Your answer counts for the next one.'
    : 'No program waits any more. Your answer counts for the next connection.';
}
