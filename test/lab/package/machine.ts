// A Debian that runs with its own systemd: systemd-nspawn on an overlay of the clean root, in the network of a lab host.
import { copyFileSync, readFileSync } from 'node:fs';
import { run, start, waitFor, type Finished, type Running } from '../harness/command.js';
import { makeControlGroups, removeControlGroup } from './control-groups.js';
import { openDebianRoot, type DebianRoot } from './debian-root.js';

export interface Machine {
  readonly root: DebianRoot;
  /** Runs a program inside as root, or as the given uid. */
  run(argv: readonly string[], uid?: number): Promise<Finished>;
  /** The same; throws unless it ends with 0. Returns its standard output. */
  must(argv: readonly string[], uid?: number): Promise<string>;
  /** Copies a file of this machine into it. */
  put(from: string, to: string): void;
  close(): Promise<void>;
}

/** Boots one and waits for its multi-user target. Throws where systemd can't be run in a container, with what it said. */
export async function bootMachine(folder: string, namespace: string): Promise<Machine> {
  const root = await openDebianRoot(folder);
  const groups = makeControlGroups();
  const enter = groups.map((group) => `echo 0 > ${group}/cgroup.procs`).join('; ');
  const options = ['--quiet', '--register=no', '--keep-unit', '--boot', `--directory=${root.merged}`];
  // A process namespace around the container, so that nothing in it outlives the test.
  const isolated = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--'];
  const spawned = start({}, [
    ...['sh', '-c', `${enter}; exec "$@"`, 'sh', ...root.outside, ...isolated, 'systemd-nspawn', ...options],
    ...[`--network-namespace-path=/run/netns/${namespace}`, '--capability=CAP_NET_ADMIN'],
  ]);
  spawned.child.stdin?.end();
  const end = async (): Promise<void> => {
    await spawned.stop(0);
    await root.close();
    for (const group of groups) await removeControlGroup(group);
  };
  try {
    return await machineOf(root, spawned, await firstProcess(spawned), end);
  } catch (error) {
    await end();
    throw error;
  }
}

async function machineOf(
  root: DebianRoot,
  spawned: Running,
  inside: number,
  end: () => Promise<void>,
): Promise<Machine> {
  const enterMachine = (argv: readonly string[], uid?: number): readonly string[] => [
    ...['nsenter', '-t', String(inside), '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--'],
    ...(uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']),
    ...argv,
  ];
  const runInside = (argv: readonly string[], uid?: number) =>
    run({ env: { DEBIAN_FRONTEND: 'noninteractive' } }, enterMachine(argv, uid));
  await waitFor(
    () => `systemd: ${spawned.stdout()}${spawned.stderr()}`,
    async () => (await runInside(['systemctl', 'is-active', 'multi-user.target'])).code === 0,
    60_000,
  );
  return {
    root,
    run: runInside,
    must: async (argv, uid) => {
      const finished = await runInside(argv, uid);
      if (finished.code === 0) return finished.stdout;
      throw new Error(`${argv.join(' ')} ended with ${finished.code}\n${finished.stderr}${finished.stdout}`);
    },
    put: (from, to) => {
      copyFileSync(from, `/proc/${inside}/root${to}`);
    },
    close: async () => {
      process.kill(inside, 'SIGKILL');
      await end();
    },
  };
}

/** The container's first process, as this machine counts: the child of systemd-nspawn that is called systemd. */
async function firstProcess(spawned: Running): Promise<number> {
  let found: number | undefined;
  const state = { ended: false };
  void spawned.ended.then(() => (state.ended = true));
  await waitFor(
    () => `a container: ${spawned.stderr()}`,
    () => {
      found = descendants(spawned.pid).find((pid) => commandOf(pid) === 'systemd');
      return found !== undefined || state.ended;
    },
    30_000,
  );
  if (found === undefined) throw new Error(`no container: ${spawned.stderr()}`);
  return found;
}

function descendants(pid: number): readonly number[] {
  const children = textOf(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendants)];
}

function commandOf(pid: number): string {
  return textOf(`/proc/${pid}/comm`).trim();
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
