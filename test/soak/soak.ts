// One soak from opening to closing: the first half with everything dying, a rest, the second half with the same proxy alive, a
// rest, and what the two rests have to say.
import { Dice } from './dice.js';
import { openGround, threads, type Ground } from './ground.js';
import { Idlers } from './idlers.js';
import { Memory } from './memory.js';
import type { SoakOptions } from './options.js';
import { closeQuestions, stopDaemon, strangeErrors, takeRest, whatGrew, type Rest } from './rest.js';
import type { Summary } from './summary.js';
import { secondsOf, Tally, titleOf } from './tally.js';
import { pause, Troubles } from './trouble.js';
import { Wire, type WireSummary } from './wire.js';
import { Work, type Result } from './work.js';

/** Shorter runs do with small files, short troubles and one of each. */
const quickBelowMinutes = 2;
/** How long the clients of a short run may finish what they began. */
const quickPatienceMs = 8000;
/** What the heaps may grow by between two rests of one proxy: caches that fill, not sessions that stay. A short run fills them. */
const allowedGrowth = 2 * 1024 * 1024;

export interface SoakControls {
  /** A line about what is being done, or how far it is. */
  readonly say: (line: string) => void;
  readonly progressMs: number;
  /** Ends the run early; what ran is summed up. */
  readonly signal: AbortSignal;
}

type Wanted = Pick<SoakOptions, 'minutes' | 'seed' | 'clients'>;

/** Runs it. Rejects only when the lab itself can't be opened. */
export async function soak(options: Wanted, controls: SoakControls): Promise<Summary> {
  controls.say(`seed ${options.seed}; opening the lab`);
  const ground = await openGround({ quick: options.minutes < quickBelowMinutes });
  try {
    return await new Soak(ground, options, controls).run();
  } finally {
    await ground.close();
  }
}

class Soak {
  readonly #ground: Ground;
  readonly #options: Wanted;
  readonly #controls: SoakControls;
  readonly #quick: boolean;
  readonly #dice: Dice;
  readonly #work: Work;
  readonly #troubles: Troubles;
  readonly #idlers: Idlers;
  readonly #tally: Tally;
  readonly #broken: string[] = [];
  readonly #started = Date.now();

  constructor(ground: Ground, options: Wanted, controls: SoakControls) {
    this.#ground = ground;
    this.#options = options;
    this.#controls = controls;
    this.#quick = options.minutes < quickBelowMinutes;
    this.#dice = new Dice(options.seed);
    this.#work = new Work(ground);
    this.#troubles = new Troubles(ground, this.#work, this.#dice.fork(), { quick: this.#quick });
    this.#idlers = new Idlers(ground);
    this.#tally = new Tally();
  }

  async run(): Promise<Summary> {
    const { lab, servers, stranger } = this.#ground;
    const secured = [...servers.filter(({ kind }) => kind.secured), stranger];
    const addresses = secured.flatMap(({ address }) => [address.ipv4, address.ipv6]);
    const wire = await Wire.tap(lab.network.srv, `${lab.folder}/wire`, addresses);
    const progress = setInterval(() => {
      this.#controls.say(this.#line());
    }, this.#controls.progressMs);
    try {
      await this.#half({ fatal: true });
      this.#controls.say('half of it is over: everybody rests');
      const before = await this.#attempt(() => takeRest(this.#ground));
      const memory = new Memory(this.#ground, this.#quick ? 1000 : 10_000);
      if (before !== undefined) await this.#half({ fatal: false });
      memory.stop();
      this.#controls.say('everybody rests, and what is left is looked at');
      const after = before && (await this.#attempt(() => takeRest(this.#ground)));
      const asked = await this.#close(before, after);
      return this.#summary({ memory, before, after, asked, wire: await wire.finish() });
    } finally {
      clearInterval(progress);
    }
  }

  /** Clients work among troubles for half of the time, and finish what they began. */
  async #half(options: { readonly fatal: boolean }): Promise<void> {
    if (this.#controls.signal.aborted) return;
    const over = untilOver((this.#options.minutes * 60_000) / 2, this.#controls.signal);
    const slots = Array.from({ length: this.#options.clients }, () => this.#slot(this.#dice.fork(), over));
    const idle = this.#idlers.go(this.#quick ? 2000 : 30_000, over);
    await this.#attempt(() => this.#troubles.go(over, options));
    const hurry = setTimeout(() => {
      if (this.#quick) for (const job of this.#work.running) this.#work.kill(job);
    }, quickPatienceMs);
    await this.#attempt(() => Promise.all([...slots, idle]));
    clearTimeout(hurry);
    if (this.#quick) await this.#attempt(() => this.#endServerSessions());
  }

  /** A server that hangs on to a dead session is waited for a minute; a short run has none. */
  #endServerSessions(): Promise<unknown> {
    return Promise.all(
      [...this.#ground.servers, this.#ground.stranger].map(async (server) => {
        await server.stop();
        await server.start();
      }),
    );
  }

  async #slot(dice: Dice, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const result = await this.#work.perform(this.#work.draw(dice, this.#quick));
      this.#tally.add(result);
      await pause(dice.between(0, 400), over);
    }
  }

  /** A part of the soak that can't go on is what it is there to find. */
  async #attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.#broken.push(error instanceof Error ? error.message.slice(0, 2000) : String(error));
      return undefined;
    }
  }

  /** Returns how many questions stood open. */
  async #close(before: Rest | undefined, after: Rest | undefined): Promise<number> {
    if (before !== undefined) this.#broken.push(...before.unrest);
    if (before !== undefined && after !== undefined)
      this.#broken.push(...whatGrew(before, after, this.#quick ? undefined : allowedGrowth));
    const closed = await this.#attempt(() => closeQuestions(this.#ground));
    this.#broken.push(...(closed?.broken ?? []), ...this.#idlers.strange);
    this.#broken.push(...this.#tally.broken((result) => this.#troubles.excuse(result)));
    this.#broken.push(...((await this.#attempt(() => stopDaemon(this.#ground))) ?? []));
    this.#broken.push(...strangeErrors(this.#ground.log()).map((line) => `in the log: ${line}`));
    return closed?.asked ?? 0;
  }

  #summary(parts: {
    readonly memory: Memory;
    readonly before: Rest | undefined;
    readonly after: Rest | undefined;
    readonly asked: number;
    readonly wire: WireSummary;
  }): Summary {
    const { wire, memory, before, after, asked } = parts;
    this.#broken.push(...wire.sightings.map((sighting) => `read on the wire: ${sighting}`));
    if (wire.packets === 0) this.#broken.push('nothing was seen on the wire, so nothing is known about it');
    return {
      seed: this.#options.seed,
      minutes: this.#options.minutes,
      clients: this.#options.clients,
      seconds: Math.round((Date.now() - this.#started) / 1000),
      early: this.#controls.signal.aborted,
      work: this.#tally.byProgram(),
      failures: this.#tally.told((result) => this.#troubles.excuse(result)),
      bytes: this.#tally.bytes,
      slowest: this.#tally.slowest === undefined ? 'none' : shortOf(this.#tally.slowest),
      troubles: this.#troubles.counts(),
      idle: { answered: this.#idlers.answered, lost: this.#idlers.lost },
      questions: asked,
      memory: memory.summary(before, after),
      descriptors: after === undefined ? 0 : Object.values(after.descriptors).reduce((a, b) => a + b, 0),
      threads: threads.length,
      wire,
      broken: this.#broken,
    };
  }

  #line(): string {
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    const happened = Object.entries(this.#troubles.counts()).filter(([, count]) => count > 0);
    const list = happened.map(([trouble, count]) => `${trouble} ${count}`).join(', ');
    return `${clock} of ${this.#options.minutes} min · ${this.#tally.line()} · ${this.#work.running.length} at work · ${list}`;
  }
}

/** Aborts with the given signal, or after the time. (AbortSignal.any loses a timeout to the garbage collector in Node 20.) */
function untilOver(ms: number, early: AbortSignal): AbortSignal {
  const over = new AbortController();
  const end = (): void => {
    over.abort();
  };
  setTimeout(end, ms).unref();
  early.addEventListener('abort', end, { once: true });
  return over.signal;
}

function shortOf(result: Result): string {
  return `${secondsOf(result).toFixed(0)} s, ${result.outcome}, ${titleOf(result.job).slice(0, 200)}`;
}
