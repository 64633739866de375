// What goes wrong in a soak, and when: the deck of disturbances and the hands that carry them out.
import { must, sleep, waitFor } from '../lab/harness/command.js';
import type { Dice } from './dice.js';
import { threads, workers, type Ground } from './ground.js';
import type { SoakServer } from './server.js';
import type { Result, Work } from './work.js';

/** What kills parts of ftpseal; left out once its memory is measured. */
const fatal = ['worker', 'proxy', 'supervisor'] as const;
const around = ['server', 'blackout', 'loss', 'resets', 'clients', 'stranger'] as const;
export const troubles = [...fatal, ...around] as const;
export type Trouble = (typeof troubles)[number];

/** How often each comes in a deck. */
const weights: Readonly<Record<Trouble, number>> = {
  worker: 3,
  proxy: 2,
  supervisor: 1,
  server: 4,
  blackout: 3,
  loss: 3,
  resets: 3,
  clients: 5,
  stranger: 1,
};

interface Span {
  readonly trouble: Trouble;
  readonly from: number;
  /** Infinity while it lasts. */
  to: number;
  /** Whom it concerns; everybody if undefined. */
  readonly concerns: ((result: Result) => boolean) | undefined;
}

/** After a network came back, what TCP had to send again takes a while. */
const settleMs = 3000;
const table = 'inet soak';

export class Troubles {
  readonly #ground: Ground;
  readonly #work: Work;
  readonly #dice: Dice;
  readonly #quick: boolean;
  readonly #spans: Span[] = [];
  #deck: readonly Trouble[] = [];

  constructor(ground: Ground, work: Work, dice: Dice, options: { readonly quick: boolean }) {
    this.#ground = ground;
    this.#work = work;
    this.#dice = dice;
    this.#quick = options.quick;
  }

  /** How often each happened. */
  counts(): Readonly<Record<Trouble, number>> {
    const count = (trouble: Trouble): number => this.#spans.filter((span) => span.trouble === trouble).length;
    return Object.fromEntries(troubles.map((trouble) => [trouble, count(trouble)])) as Record<
      Trouble,
      number
    >;
  }

  /** Whether anything went on that could have made this job fail. */
  excuse(result: Result): boolean {
    return this.#spans.some(
      (span) =>
        span.from <= result.to && result.job.from <= span.to + settleMs && span.concerns?.(result) !== false,
    );
  }

  /** One trouble after the other until the signal. Rejects when ftpseal or a server does not come back. */
  async go(signal: AbortSignal, options: { readonly fatal: boolean }): Promise<void> {
    this.#deck = [];
    await must(this.#middle(), [
      'nft',
      `add table ${table}; add chain ${table} way { type filter hook forward priority 0; }`,
    ]);
    while (!signal.aborted) {
      const rest = this.#quick ? this.#dice.between(200, 900) : this.#dice.between(3000, 12_000);
      if (await pause(rest, signal)) await this.#one(this.#deal(options.fatal), signal);
    }
    await must(this.#middle(), ['nft', 'delete', 'table', ...table.split(' ')]);
  }

  #deal(withFatal: boolean): Trouble {
    if (this.#deck.length === 0) {
      const kinds: readonly Trouble[] = withFatal ? troubles : around;
      this.#deck = this.#dice.shuffle(
        kinds.flatMap((kind) => Array.from({ length: this.#quick ? 1 : weights[kind] }, () => kind)),
      );
    }
    const [first = 'clients', ...rest] = this.#deck;
    this.#deck = rest;
    return first;
  }

  async #one(trouble: Trouble, signal: AbortSignal): Promise<void> {
    const server = this.#dice.pick(this.#ground.servers);
    const span: Span = {
      trouble,
      from: Date.now(),
      to: Number.POSITIVE_INFINITY,
      concerns: concerning(trouble, server, this.#ground.stranger),
    };
    this.#spans.push(span);
    await this.#perform(trouble, server, signal);
    span.to = Date.now();
  }

  #perform(trouble: Trouble, server: SoakServer, signal: AbortSignal): Promise<void> {
    const percent = this.#dice.count(5, 25);
    switch (trouble) {
      case 'worker':
        return this.#killWorker(this.#dice.count(0, workers - 1));
      case 'proxy':
        return this.#killProxy();
      case 'supervisor':
        return this.#killSupervisor();
      case 'server':
        return this.#restart(server, signal);
      case 'blackout':
        return this.#network('drop', this.#dice.between(500, 6000), signal);
      case 'loss':
        return this.#network(
          `numgen random mod 100 < ${percent} drop`,
          this.#dice.between(2000, 8000),
          signal,
        );
      case 'resets':
        return this.#network(
          `meta l4proto tcp numgen random mod 1000 < ${percent} reject with tcp reset`,
          this.#dice.between(1000, 5000),
          signal,
        );
      case 'clients':
        for (const job of this.#dice.shuffle(this.#work.running).slice(0, this.#dice.count(1, 3)))
          this.#work.kill(job);
        return Promise.resolve();
      case 'stranger':
        return this.#ground.changeStranger();
    }
  }

  async #killWorker(index: number): Promise<void> {
    const { probed } = this.#ground;
    const before = probed.last(`worker-${index}`)?.born ?? 0;
    probed.lightFuse(index);
    await waitFor(
      `worker ${index} to be replaced`,
      () => (probed.last(`worker-${index}`)?.born ?? 0) > before,
      60_000,
    );
    await this.#ground.untilReady();
  }

  async #killProxy(): Promise<void> {
    const { probed, proxyPid } = this.#ground;
    process.kill(proxyPid, 'SIGKILL');
    await waitFor(
      'another proxy',
      () => threads.every((thread) => (probed.last(thread)?.pid ?? proxyPid) !== proxyPid),
      60_000,
    );
    await this.#ground.untilReady();
  }

  /** The proxy notices, gives transfers their grace and ends; then everything is started again. */
  async #killSupervisor(): Promise<void> {
    const { daemon, proxyPid } = this.#ground;
    daemon.running.child.kill('SIGKILL');
    await waitFor('the proxy without a supervisor to end', () => !isAlive(proxyPid), 60_000);
    await this.#ground.startDaemon();
  }

  async #restart(server: SoakServer, signal: AbortSignal): Promise<void> {
    await server.stop();
    await pause(this.#dice.between(0, 2000), signal);
    await server.start();
  }

  async #network(rule: string, ms: number, signal: AbortSignal): Promise<void> {
    await must(this.#middle(), ['nft', `add rule ${table} way ${rule}`]);
    await pause(this.#quick ? Math.min(ms, 2000) : ms, signal);
    await must(this.#middle(), ['nft', 'flush', 'table', ...table.split(' ')]);
  }

  #middle(): { readonly namespace: string } {
    return { namespace: this.#ground.lab.network.mitm ?? '' };
  }
}

function concerning(trouble: Trouble, server: SoakServer, stranger: SoakServer): Span['concerns'] {
  if (trouble === 'server') return ({ job }) => job.server === server;
  if (trouble === 'stranger') return ({ job }) => job.server === stranger;
  // Those that were killed are told apart by their own outcome.
  if (trouble === 'clients') return () => false;
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Sleeps, but not beyond the signal; whether it slept to the end. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  const end = Date.now() + ms;
  while (!signal.aborted && Date.now() < end) await sleep(Math.min(50, end - Date.now()));
  return !signal.aborted;
}
