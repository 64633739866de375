// A clean Debian 12 that a test may change: the cached one below an overlay, mounted where only this test's processes see it.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { must, run, start, waitFor, type Finished, type Running } from '../harness/command.js';
import { repository } from '../harness/server.js';

export interface DebianRoot {
  /** What was changed and added, file by file; the rest is the clean system's. */
  readonly changes: string;
  /** Words before a command that is to see the mounted root at `merged`, on the machine's own side. */
  readonly outside: readonly string[];
  readonly merged: string;
  /** Runs a program inside, by chroot: no systemd runs there. */
  run(argv: readonly string[]): Promise<Finished>;
  /** The same; throws unless it ends with 0. Returns its standard output. */
  must(argv: readonly string[]): Promise<string>;
  /** Copies a file of this machine into it. */
  put(from: string, to: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens one in the new folder `folder`, which must be on a disk's file system. */
export async function openDebianRoot(folder: string): Promise<DebianRoot> {
  const clean = await cleanRoot();
  const changes = path.join(folder, 'changes');
  const merged = path.join(folder, 'merged');
  for (const name of [changes, merged, path.join(folder, 'work')]) mkdirSync(name, { recursive: true });
  const holder = await holdMounted(folder, clean);
  const outside = ['nsenter', '-t', String(holder.pid), '-m', '--'];
  // Mounted for one program only: systemd-nspawn wants to find /dev and /proc empty.
  const mounts = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev"';
  const shell = ['sh', '-c', `${mounts} && exec chroot "$0" "$@"`, merged];
  const inside = (argv: readonly string[]) => [...outside, 'unshare', '--mount', '--', ...shell, ...argv];
  return {
    changes,
    outside,
    merged,
    run: (argv) => run({ env: environment }, inside(argv)),
    must: (argv) => must({ env: environment }, inside(argv)),
    put: async (from, to) => {
      await must({}, [...outside, 'cp', from, `${merged}${to}`]);
    },
    close: () => holder.stop(0),
  };
}

/** The first time it is made, which takes as long as Debian's mirror does. */
async function cleanRoot(): Promise<string> {
  // Several files may want it at once, and the first one makes it.
  const made = await run({}, ['flock', lock, process.execPath, script], { timeoutMs: 900_000 });
  if (made.code !== 0) throw new Error(`no clean Debian: ${made.stderr}`);
  return made.stdout.trim();
}

const script = path.join(repository, 'installers/dev/debian-root.mjs');
const lock = path.join(repository, '.lab', 'debian-12.lock');
const environment = { DEBIAN_FRONTEND: 'noninteractive', HOME: '/root' };

/** The mounts end with the process that holds them, however it ends. */
async function holdMounted(folder: string, clean: string): Promise<Running> {
  const mount = `mount -t overlay overlay -o "lowerdir=${clean},upperdir=changes,workdir=work" merged`;
  const hold = 'echo mounted && exec sleep 100000';
  const shell = ['sh', '-c', `cd "$0" && ${mount} && ${hold}`, folder];
  const holder = start({}, ['unshare', '--mount', '--propagation', 'private', '--', ...shell]);
  const state = { ended: false };
  void holder.ended.then(() => (state.ended = true));
  await waitFor('the overlay', () => state.ended || holder.stdout().includes('mounted'));
  if (state.ended) throw new Error(`the overlay could not be mounted: ${holder.stderr()}`);
  return holder;
}
