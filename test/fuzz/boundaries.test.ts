// Everything that reads what others wrote, under mutated inputs. FTPSEAL_SEED=n repeats a run, FTPSEAL_FUZZ_RUNS=n and
// FTPSEAL_FUZZ_MINUTES=n (shared by all targets) go further; a deep run keeps what breaks something in test/fuzz/corpus.
import { describe, it } from 'node:test';
import { corpusOf, keep } from './corpus.js';
import { Dice, mutate } from './mutate.js';
import { TARGETS, type Target } from './targets.js';

const runs = Number(process.env['FTPSEAL_FUZZ_RUNS'] ?? 2000);
const seed = Number(process.env['FTPSEAL_SEED'] ?? Date.now() % 1_000_000_000);
const minutes = process.env['FTPSEAL_FUZZ_MINUTES'];

describe(`what others wrote, mutated (seed ${seed})`, () => {
  for (const target of TARGETS) {
    it(target.name, async () => {
      const count = await fuzz(target);
      console.log(`fuzz: ${target.name}: ${count} inputs, seed ${seed}`);
    });
  }
});

async function fuzz(target: Target): Promise<number> {
  const corpus = corpusOf(target.name);
  const seeds = [...target.seeds, ...corpus];
  for (const input of seeds) await attempt(target, input);
  const dice = new Dice(seed);
  const until = minutes === undefined ? undefined : Date.now() + (Number(minutes) * 60_000) / TARGETS.length;
  let count = seeds.length;
  for (; until === undefined ? count < runs : Date.now() < until; count += 1)
    await attempt(target, mutate(seeds, dice));
  return count;
}

async function attempt(target: Target, input: Buffer): Promise<void> {
  try {
    await target.run(input);
  } catch (error) {
    const where =
      minutes === undefined
        ? JSON.stringify(input.toString('latin1').slice(0, 2000))
        : keep(target.name, input);
    throw new Error(`${target.name} (seed ${seed}) broke with ${where}`, { cause: error });
  }
}
