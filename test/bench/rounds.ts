// The order of a run: rounds of all work, the contenders taking turns, each round beginning with another one.
import type { Contender } from './contenders/contender.js';
import type { Field } from './field.js';
import type { BenchOptions } from './options.js';
import type { Metric, Sample } from './results.js';
import { foreignResult, measureForeign, type ForeignResult } from './work/foreign.js';
import { idleMemory } from './work/idle.js';
import { firstListing, logins, noop } from './work/sessions.js';
import { download, mirrors, smallFiles, upload } from './work/transfers.js';
import type { Work } from './work/work.js';

/** Work in the order in which a round does it. */
const everyWork: readonly Work[] = [download, upload, smallFiles, logins, firstListing, noop, mirrors];

export const metrics: readonly Metric[] = [...everyWork, idleMemory].map((work) => work.metric);

/** Everything that was measured. */
export interface Measurements {
  readonly samples: readonly Sample[];
  readonly foreign: ForeignResult | undefined;
}

export type Progress = (line: string) => void;

/** Memory is taken from fresh starts, which would leave the next round with cold proxies; so it comes last, and less often. */
const memoryRounds = 3;

/** Runs all of it. Throws with the contender's log when a piece of work fails. */
export async function runRounds(field: Field, options: BenchOptions, say: Progress): Promise<Measurements> {
  const samples: Sample[] = [];
  const chosen = everyWork.filter((work) => options.work.includes(work.metric.name));
  await warmUp(field, options, chosen, say);
  const withRules: number[] = [];
  const without: number[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const work of chosen) samples.push(...(await turn(field, options, { work, round }, say)));
    const foreign = await foreignRound(field, options, round, say);
    withRules.push(...foreign.withRules);
    without.push(...foreign.without);
  }
  if (options.work.includes('idle-memory')) {
    for (let round = 1; round <= Math.min(memoryRounds, options.rounds); round += 1)
      samples.push(...(await turn(field, options, { work: idleMemory, round }, say)));
  }
  return { samples, foreign: foreignResult(withRules, without) };
}

/** A proxy that has just started is not what people have running all day. */
async function warmUp(
  field: Field,
  options: BenchOptions,
  chosen: readonly Work[],
  say: Progress,
): Promise<void> {
  const most = options.sizes;
  const sizes = { ...most, logins: Math.min(most.logins, 20), listings: 2, noops: Math.min(most.noops, 200) };
  for (const work of chosen) {
    for (const contender of field.contenders) {
      say(`warming up · ${work.metric.title} · ${contender.name}`);
      await guarded(contender, () => work.perform(contender, field, sizes));
    }
  }
}

async function turn(
  field: Field,
  options: BenchOptions,
  { work, round }: { readonly work: Work; readonly round: number },
  say: Progress,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const first = round % Math.max(1, field.contenders.length);
  const order = [...field.contenders.slice(first), ...field.contenders.slice(0, first)];
  for (const contender of order.filter((candidate) => work.obstacle(candidate) === undefined)) {
    const measured = await guarded(contender, () => work.perform(contender, field, options.sizes));
    const { name, title, unit, cpuPer } = work.metric;
    samples.push({ metric: name, contender: contender.name, round, ...measured });
    const cpu =
      measured.cpu === undefined || cpuPer === undefined
        ? ''
        : `, ${measured.cpu.toFixed(2)} s CPU per ${cpuPer}`;
    say(
      `round ${round}/${options.rounds} · ${title} · ${contender.name}: ${measured.value.toPrecision(4)} ${unit}${cpu}`,
    );
  }
  return samples;
}

async function foreignRound(
  field: Field,
  options: BenchOptions,
  round: number,
  say: Progress,
): Promise<{ readonly withRules: readonly number[]; readonly without: readonly number[] }> {
  const ftpseal = field.contenders.find((contender) => contender.name === 'ftpseal');
  if (ftpseal === undefined || !options.work.includes('foreign')) return { withRules: [], without: [] };
  const hosts = { withRules: ftpseal.namespace, without: field.bareHost, address: ftpseal.address };
  const result = await measureForeign(field, hosts, options.sizes);
  say(
    `round ${round}/${options.rounds} · connections to another port: ${result.withRules.length} batches each way`,
  );
  return result;
}

async function guarded<T>(contender: Contender, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const said = (contender.proxy?.log() ?? '').slice(-3000);
    throw new Error(`${contender.name} failed.${said === '' ? '' : ` It said:\n${said}`}`, { cause: error });
  }
}
