// What clients do in a soak, drawn by dice, and the verdict on each: read from the files, not from what a client says about itself.
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Mode } from '../lab/clients/client.js';
import { clientUid } from '../lab/harness/account.js';
import { start, type Running } from '../lab/harness/command.js';
import type { Dice } from './dice.js';
import { listedNames, listFolder, sourceFolder, uploadFolder, type Ground, type Source } from './ground.js';
import { curl, ftplib, lftp, tnftp, wget, type Piece, type Program, type Task } from './programs.js';
import type { SoakServer } from './server.js';

/**
 * `done`: it said success and every byte is right. `told`: it said that it failed. `killed`: the soak killed it. `lied`: it said
 * success and something is wrong. `hung`: it said nothing until the soak lost patience. `let in`: it said success at a server
 * whose key nobody vouched for.
 */
export const outcomes = ['done', 'told', 'killed', 'lied', 'hung', 'let in'] as const;
export type Outcome = (typeof outcomes)[number];

interface Expectation {
  readonly file: string;
  readonly content: { readonly kind: 'bytes'; readonly source: Source } | { readonly kind: 'names' };
  /** At the server, to be removed. */
  readonly remote: boolean;
}

/** One client process at work. */
export interface Job {
  readonly id: number;
  readonly program: Program;
  readonly server: SoakServer;
  readonly task: Task;
  readonly folder: string;
  readonly expectations: readonly Expectation[];
  readonly from: number;
}

/** A job that is over. */
export interface Result {
  readonly job: Job;
  readonly outcome: Outcome;
  readonly to: number;
  readonly bytes: number;
  /** What is wrong, for `lied`. */
  readonly flaw: string | undefined;
  readonly code: number;
  /** The last of what the client printed. */
  readonly said: string;
}

const modes: readonly Mode[] = ['passive', 'extended passive', 'active', 'extended active'];
const smallOnes = 70_000;
/** Clients give up after 20 s of silence, some of them three times over; a slow transfer takes half a minute. */
const hardLimitMs = 240_000;
const kept = 3000;

/** Draws jobs and runs them. */
export class Work {
  readonly #ground: Ground;
  readonly #programs: readonly Program[];
  readonly #running = new Map<number, { readonly job: Job; readonly process: Running }>();
  readonly #killed = new Set<number>();
  #count = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#programs = [curl, lftp, tnftp, wget, ftplib(path.join(ground.lab.folder, 'session.py'))];
  }

  get running(): readonly Job[] {
    return [...this.#running.values()].map(({ job }) => job);
  }

  /** SIGKILL: its sockets are closed by the kernel. */
  kill(job: Job): void {
    this.#killed.add(job.id);
    this.#running.get(job.id)?.process.child.kill('SIGKILL');
  }

  /** The next job; `quick` leaves out what takes long. */
  draw(dice: Dice, quick: boolean): Job {
    const id = (this.#count += 1);
    const server = dice.chance(0.05) ? this.#ground.stranger : dice.pick(this.#ground.servers);
    const folder = this.#ground.clientFolder(String(id));
    const sources = this.#ground.sources.filter(({ size }) => !quick || size <= 5_000_000);
    const largest = Math.max(...sources.map(({ size }) => size));
    for (;;) {
      const program = dice.pick(this.#programs);
      const drawn = drawPieces(dice, id, sources);
      const { ipv4, ipv6 } = server.address;
      const slow = drawn.some(({ source }) => source?.size === largest) && dice.chance(0.5);
      const task: Task = {
        address: dice.chance(0.3) ? ipv6 : ipv4,
        mode: dice.pick(modes),
        pieces: drawn.map(({ piece }) => this.#placed(piece, folder)),
        patience: quick ? 10 : 20,
        rate: slow ? dice.count(largest / 12, largest / 4) : undefined,
      };
      if (!program.can(task)) continue;
      const expectations = drawn.map(({ piece, source }) => this.#expected(piece, source, server, folder));
      return { id, program, server, task, folder, expectations, from: Date.now() };
    }
  }

  async perform(job: Job): Promise<Result> {
    const place = {
      namespace: this.#ground.lab.network.pc,
      uid: clientUid,
      cwd: job.folder,
      env: { HOME: job.folder },
    };
    const process = start(place, job.program.argv(job.task));
    process.child.stdin?.end();
    this.#running.set(job.id, { job, process });
    let hung = false;
    const limit = setTimeout(() => {
      hung = true;
      process.child.kill('SIGKILL');
    }, hardLimitMs);
    const code = await process.ended;
    clearTimeout(limit);
    const to = Date.now();
    const said = `${process.stdout().slice(-kept)}${process.stderr().slice(-kept)}`;
    const judged = await this.#judge(job, code, hung);
    this.#running.delete(job.id);
    this.#cleanUp(job);
    return { job, to, code, said, ...judged };
  }

  async #judge(job: Job, code: number, hung: boolean): Promise<Pick<Result, 'outcome' | 'bytes' | 'flaw'>> {
    const nothing = { bytes: 0, flaw: undefined };
    if (hung) return { outcome: 'hung', ...nothing };
    if (this.#killed.delete(job.id) && code !== 0) return { outcome: 'killed', ...nothing };
    if (code !== 0) return { outcome: 'told', ...nothing };
    if (job.server === this.#ground.stranger) return { outcome: 'let in', ...nothing };
    const flaws = (await Promise.all(job.expectations.map(flawOf))).filter((flaw) => flaw !== undefined);
    if (flaws.length > 0) return { outcome: 'lied', bytes: 0, flaw: flaws.join('; ') };
    return { outcome: 'done', bytes: bytesOf(job), flaw: undefined };
  }

  #placed(piece: Piece, folder: string): Piece {
    return { ...piece, local: path.resolve(folder, piece.local) };
  }

  #expected(piece: Piece, source: Source | undefined, server: SoakServer, folder: string): Expectation {
    if (source === undefined)
      return { file: path.resolve(folder, piece.local), content: { kind: 'names' }, remote: false };
    const content = { kind: 'bytes', source } as const;
    return piece.kind === 'up'
      ? { file: path.join(server.home, piece.remote), content, remote: true }
      : { file: path.resolve(folder, piece.local), content, remote: false };
  }

  #cleanUp(job: Job): void {
    rmSync(job.folder, { recursive: true, force: true });
    for (const { file, remote } of job.expectations) if (remote) rmSync(file, { force: true });
  }
}

interface Drawn {
  readonly piece: Piece;
  readonly source: Source | undefined;
}

/** One piece in most jobs; a few jobs are sessions of many small ones. */
function drawPieces(dice: Dice, id: number, sources: readonly Source[]): readonly Drawn[] {
  if (dice.chance(0.75)) return [drawPiece(dice, `${id}`, sources)];
  const small = sources.filter(({ size }) => size <= smallOnes);
  return Array.from({ length: dice.count(2, 12) }, (_, index) => drawPiece(dice, `${id}-${index}`, small));
}

function drawPiece(dice: Dice, name: string, sources: readonly Source[]): Drawn {
  if (dice.chance(0.1)) {
    return { piece: { kind: 'names', remote: listFolder, local: `names-${name}` }, source: undefined };
  }
  const source = dice.pick(sources);
  const piece: Piece = dice.chance(0.5)
    ? { kind: 'down', remote: `${sourceFolder}/${source.name}`, local: `got-${name}` }
    : { kind: 'up', local: `../../sources/${source.name}`, remote: `${uploadFolder}/sent-${name}` };
  return { piece, source };
}

function bytesOf(job: Job): number {
  return job.expectations.reduce(
    (sum, { content }) => sum + (content.kind === 'bytes' ? content.source.size : 0),
    0,
  );
}

/** What is wrong with the file, or undefined. */
async function flawOf({ file, content }: Expectation): Promise<string | undefined> {
  const name = path.basename(file);
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  // A client that got nothing of an empty file need not make one.
  if (size === undefined)
    return content.kind === 'bytes' && content.source.size === 0 ? undefined : `${name} is not there`;
  if (content.kind === 'names') {
    const names = readFileSync(file, 'latin1')
      .split(/\r?\n/)
      .filter((line) => line !== '');
    const found = new Set(names.map((line) => path.basename(line)));
    const missing = listedNames.filter((listed) => !found.has(listed));
    return missing.length > 0 ? `${missing.length} names are missing from ${name}` : undefined;
  }
  if (size !== content.source.size) return `${name} has ${size} of ${content.source.size} bytes`;
  return (await hashOf(file)) === content.source.sha256 ? undefined : `${name} has another SHA-256`;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 18 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}
