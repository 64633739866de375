// The order of a run: rounds of all work, the contenders taking turns, each round beginning with another one.
import { timed, type Progress } from './progress.js';
import type { Sample } from './results.js';
import type { Entrant, Work } from './work.js';

/** What to run. */
export interface Course<E extends Entrant, C> {
  readonly entrants: readonly E[];
  /** In the order in which a round does it. */
  readonly work: readonly Work<E, C>[];
  readonly context: C;
  readonly rounds: number;
  readonly progress: Progress;
  /** Called at the end of each round, which counts from 1. */
  readonly afterRound?: (round: number) => Promise<void>;
}

/** Runs all of it. Throws with the contender's log when a piece of work fails. */
export function runRounds<E extends Entrant, C>(course: Course<E, C>): Promise<readonly Sample[]> {
  return planRounds(course)();
}

/** Announces all of it, so that the estimate of what is left has it before its turn has come. The result runs it, once. */
export function planRounds<E extends Entrant, C>(course: Course<E, C>): () => Promise<readonly Sample[]> {
  const once = course.work.flatMap((work) =>
    able(course.entrants, work).map((entrant) => stepName(work, entrant)),
  );
  for (let round = 1; round <= course.rounds; round += 1) course.progress.expect(once);
  return async () => {
    const samples: Sample[] = [];
    for (let round = 1; round <= course.rounds; round += 1) {
      for (const work of course.work) samples.push(...(await turn(course, work, round)));
      await course.afterRound?.(round);
    }
    return samples;
  };
}

/** A program that has just started is not what people have running all day: does everything once, with a smaller `context`. */
export async function warmUp<E extends Entrant, C>(course: Omit<Course<E, C>, 'rounds'>): Promise<void> {
  const { progress } = course;
  const steps = course.work.flatMap((work) =>
    able(course.entrants, work).map((entrant) => ({ work, entrant, name: stepName(work, entrant) })),
  );
  progress.expect(steps.map(({ name }) => name));
  for (const { work, entrant, name } of steps) {
    progress.say(`warming up · ${work.metric.title} · ${entrant.name}`);
    await timed(progress, name, () => guarded(entrant, () => work.perform(entrant, course.context)));
  }
}

function able<E extends Entrant, C>(entrants: readonly E[], work: Work<E, C>): readonly E[] {
  return entrants.filter((one) => work.obstacle(one) === undefined);
}

function stepName<E extends Entrant, C>({ metric }: Work<E, C>, { name }: E): string {
  return `${metric.name} ${name}`;
}

async function turn<E extends Entrant, C>(
  course: Course<E, C>,
  work: Work<E, C>,
  round: number,
): Promise<readonly Sample[]> {
  const { entrants, rounds, progress } = course;
  const samples: Sample[] = [];
  const first = round % Math.max(1, entrants.length);
  const order = [...entrants.slice(first), ...entrants.slice(0, first)];
  for (const entrant of able(order, work)) {
    const measured = await timed(progress, stepName(work, entrant), () =>
      guarded(entrant, () => work.perform(entrant, course.context)),
    );
    const { name, title, unit, cpuPer } = work.metric;
    const sample = { metric: name, contender: entrant.name, round, ...measured };
    samples.push(sample);
    progress.keep([sample]);
    const cpu =
      measured.cpu === undefined || cpuPer === undefined
        ? ''
        : `, ${measured.cpu.toFixed(2)} s CPU per ${cpuPer}`;
    progress.say(
      `round ${round}/${rounds} · ${title} · ${entrant.name}: ${measured.value.toPrecision(4)} ${unit}${cpu}`,
    );
  }
  return samples;
}

async function guarded<T>(entrant: Entrant, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const said = entrant.log().slice(-3000);
    throw new Error(`${entrant.name} failed.${said === '' ? '' : ` It said:\n${said}`}`, { cause: error });
  }
}
