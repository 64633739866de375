// A proxy program that can be ended and started again with the same command.
import { start, waitFor, type Place, type Running } from '../../lab/harness/command.js';
import type { Proxy } from './contender.js';

/** A program, and how one knows that it serves. */
export interface Program {
  readonly name: string;
  readonly place: Place;
  readonly argv: readonly string[];
  serves(): boolean | Promise<boolean>;
  /** What it writes into files, if anything. */
  log(): string;
}

/** Starts the program and waits until it serves. */
export async function startProxy(program: Program): Promise<Proxy> {
  let running = await launch(program);
  return {
    pid: () => running.pid,
    restart: async () => {
      await running.stop();
      running = await launch(program);
    },
    stop: () => running.stop(),
    log: () => said(running, program),
  };
}

function said(running: Running, program: Program): string {
  return running.stdout() + running.stderr() + program.log();
}

async function launch(program: Program): Promise<Running> {
  const running = start(program.place, program.argv);
  const over = { ended: false };
  void running.ended.then(() => (over.ended = true));
  const failed = (): string => `${program.name} to serve; it said:\n${said(running, program)}`;
  await waitFor(failed, async () => over.ended || (await program.serves()), 30_000);
  if (over.ended) throw new Error(`waited in vain for ${failed()}`);
  return running;
}
