// The program with an eye in it. No signal can end a worker thread alone, and nobody outside sees a heap or a timer; so each
// thread of the proxy gets a few lines more: they throw when their fuse is lit, and answer when they are asked what the thread
// holds. Everything else is the program.
import { appendFileSync, chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { waitFor } from '../lab/harness/command.js';
import { stage } from '../lab/harness/stage.js';

const answerSchema = z.object({
  pid: z.number(),
  /** Unix milliseconds of the thread's start. */
  born: z.number(),
  /** The number of the question; 0 when it only said that it is there. */
  answers: z.number(),
  /** After a full collection: what the heap (without compiled code, which grows for minutes) and the buffers hold, in bytes. */
  heap: z.number(),
  buffers: z.number(),
  /** What keeps the thread's event loop alive, by kind. */
  resources: z.record(z.string(), z.number()),
});
export type Answer = z.infer<typeof answerSchema>;

export class ProbedProgram {
  readonly program: string;
  readonly #folder: string;
  #asked = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    this.program = path.join(folder, 'program');
  }

  /** Stages the program below `folder`, which must be readable for all. */
  static async stage(folder: string): Promise<ProbedProgram> {
    const probed = new ProbedProgram(path.join(folder, 'probed'));
    mkdirSync(probed.#folder);
    chmodSync(probed.#folder, 0o777); // the proxy is another user
    await stage(probed.program, 'unbundled');
    const probe = path.join(probed.program, 'dist/probe.mjs');
    writeFileSync(probe, source(probed.#folder));
    for (const module of ['proxy.js', 'pool/worker.js'])
      appendFileSync(
        path.join(probed.program, 'dist/daemon', module),
        `\nimport ${JSON.stringify(probe)};\n`,
      );
    return probed;
  }

  /** The thread's last word; undefined before its first. */
  last(thread: string): Answer | undefined {
    try {
      return answerSchema.parse(JSON.parse(readFileSync(this.#file(`${thread}.json`), 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** The worker throws within 0.2 s. */
  lightFuse(worker: number): void {
    writeFileSync(this.#file(`fuse-worker-${worker}`), '');
  }

  /** Every thread collects its garbage and answers. Throws when one does not within 15 s. */
  async ask(threads: readonly string[]): Promise<ReadonlyMap<string, Answer>> {
    const number = (this.#asked += 1);
    writeFileSync(this.#file('ask.new'), String(number));
    renameSync(this.#file('ask.new'), this.#file('ask'));
    await waitFor('the threads to say what they hold', () =>
      threads.every((thread) => this.last(thread)?.answers === number),
    );
    return new Map(threads.flatMap((thread) => [[thread, this.last(thread)]] as [string, Answer][]));
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }
}

/** Its own timer is unreferenced, so it is not among the resources that it counts. */
function source(folder: string): string {
  return `
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, workerData } from 'node:worker_threads';
const folder = ${JSON.stringify(`${folder}/`)};
const name = isMainThread ? 'main' : 'worker-' + workerData.data.index;
const born = Date.now();
let answered = 0;
function answer(number) {
  answered = number;
  if (number > 0) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const code = getHeapSpaceStatistics()
    .filter((space) => space.space_name.startsWith('code'))
    .reduce((sum, space) => sum + space.space_used_size, 0);
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const said = { pid: process.pid, born, answers: number, heap: heapUsed - code, buffers: arrayBuffers, resources };
  writeFileSync(folder + name + '.new', JSON.stringify(said));
  renameSync(folder + name + '.new', folder + name + '.json');
}
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
function asked() {
  try {
    return Number(readFileSync(folder + 'ask', 'utf8'));
  } catch {
    return 0;
  }
}
function look() {
  const fuse = statSync(folder + 'fuse-' + name, { throwIfNoEntry: false });
  if (fuse !== undefined && fuse.mtimeMs > born) throw new Error('the soak lit the fuse');
  const number = asked();
  if (number > answered) answer(number);
}
if (!isMainThread || process.argv.includes('proxy-process')) {
  answer(0);
  answered = asked();
  setInterval(look, 100).unref();
}
`;
}
