// Counts what became of the jobs, and keeps those that no client should ever meet.
import { outcomes, type Job, type Outcome, type Result } from './work.js';

export type Counts = Readonly<Record<Outcome, number>>;

/** Outcomes that nothing excuses. */
const never: readonly Outcome[] = ['lied', 'hung', 'let in'];

const zero = (): Record<Outcome, number> =>
  Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Outcome, number>;

export class Tally {
  readonly #byProgram = new Map<string, Record<Outcome, number>>();
  readonly #told: Result[] = [];
  readonly #never: Result[] = [];
  bytes = 0;
  /** The job that took longest. */
  slowest: Result | undefined;

  add(result: Result): void {
    const name = result.job.program.name;
    const counts = this.#byProgram.get(name) ?? zero();
    counts[result.outcome] += 1;
    this.#byProgram.set(name, counts);
    this.bytes += result.bytes;
    if (this.slowest === undefined || secondsOf(result) > secondsOf(this.slowest)) this.slowest = result;
    if (result.outcome === 'told') this.#told.push(result);
    if (never.includes(result.outcome)) this.#never.push(result);
  }

  byProgram(): Readonly<Record<string, Counts>> {
    return Object.fromEntries([...this.#byProgram].sort(([a], [b]) => a.localeCompare(b)));
  }

  /** How many failures there was a reason for, and how many were refused because of a question about a key. */
  told(excuse: (result: Result) => boolean): { readonly asked: number; readonly excused: number } {
    const asked = this.#told.filter(isRefusal).length;
    return { asked, excused: this.#told.filter((result) => !isRefusal(result) && excuse(result)).length };
  }

  /** A sentence for each job that broke a promise: success that was none, silence, or failure in calm. */
  broken(excuse: (result: Result) => boolean): readonly string[] {
    const calm = this.#told.filter((result) => !isRefusal(result) && !excuse(result));
    return [
      ...this.#never.map((result) => describe(result, result.flaw ?? result.outcome)),
      ...calm.map((result) => describe(result, 'failed, and nothing had happened to it')),
    ];
  }

  line(): string {
    const sum = (outcome: Outcome): number =>
      [...this.#byProgram.values()].reduce((total, counts) => total + counts[outcome], 0);
    return outcomes
      .map((outcome) => [outcome, sum(outcome)] as const)
      .filter(([, count]) => count > 0)
      .map(([outcome, count]) => `${count} ${outcome}`)
      .join(', ');
  }
}

/** A failure at the server for whose key nobody vouches is as it should be. */
function isRefusal({ job }: Result): boolean {
  return job.server.name === 'stranger';
}

/** How long the client ran. */
export function secondsOf({ job, to }: Result): number {
  return (to - job.from) / 1000;
}

/** Who did what how, in a line. */
export function titleOf({ id, program, server, task }: Job): string {
  const pieces = task.pieces.map(({ kind, remote }) => `${kind} ${remote}`).join(', ');
  return `job ${id}: ${program.name}, ${task.mode}, ${server.name} ${task.address}: ${pieces}`;
}

function describe(result: Result, what: string): string {
  const { job, code, said } = result;
  const when = `${new Date(job.from).toISOString()} for ${secondsOf(result).toFixed(1)} s`;
  return `${titleOf(job)}: ${what} (exit code ${code}, ${when})\n${said.trim().split('\n').slice(-25).join('\n')}`;
}
