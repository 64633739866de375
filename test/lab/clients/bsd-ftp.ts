// The interactive ftp programs of BSD descent, typed at as a person would.
import { statSync } from 'node:fs';
import path from 'node:path';
import { Dialogue } from '../harness/dialogue.js';
import { workOf, type ClientReport, type LabClient, type Operation, type Task } from './client.js';

const manyNames = Array.from({ length: 200 }, (_, index) => `down-${String(index + 1).padStart(3, '0')}`);

/** What one of these programs needs typed for each piece of work. */
const commands: Readonly<Record<Exclude<Operation, 'abort'>, readonly string[]>> = {
  list: ['dir'],
  nlst: ['nlist'],
  mlsd: ['mlsd'],
  get: ['get hello.bin got.bin'],
  put: ['put hello.bin put.bin'],
  append: ['append tail.bin append.bin'],
  restart: ['restart 30000', 'get hello.bin restart.bin'],
  rename: ['rename rename-me renamed'],
  delete: ['delete delete-me'],
  mkdir: ['mkdir new-dir'],
  empty: ['put empty-up empty-up', 'get empty-down empty-down'],
  'failed-retr': ['get missing.bin missing.bin'],
  // Not mget: Pure-FTPd lists folders only and refuses `NLST down-*`.
  many: ['lcd many', 'cd many', 'mput up-*', ...manyNames.map((name) => `get ${name}`), 'lcd ..', 'cd ..'],
  huge: ['get huge.bin huge.down', 'put huge.local huge.up'],
};

/** Runs the work list in one session of `argv`; `settings` are typed after the login. */
export async function performTyped(
  client: LabClient,
  task: Task,
  argv: readonly string[],
  settings: readonly string[],
): Promise<ClientReport> {
  const place = { namespace: task.namespace, uid: task.uid, cwd: task.folder, env: { HOME: task.folder } };
  const dialogue = new Dialogue(place, argv);
  const outputs = new Map<string, string>();
  try {
    await dialogue.ask([`user ${task.user} ${task.password}`, 'binary', `cd ${task.remote}`, ...settings]);
    for (const operation of workOf(client, task)) {
      const said =
        operation === 'abort' ? await abort(dialogue, task) : await dialogue.ask(commands[operation], 60_000);
      outputs.set(operation, said);
    }
    await dialogue.end('quit');
  } catch (error) {
    outputs.set('stopped', String(error));
  } finally {
    await dialogue.running.stop();
  }
  return { outputs, transcript: dialogue.transcript() };
}

/** Interrupts a long download as Ctrl-C does, then shows that the session still transfers. */
async function abort(dialogue: Dialogue, task: Task): Promise<string> {
  const partial = path.join(task.folder, 'aborted.bin');
  const from = dialogue.running.stdout().length;
  dialogue.type('get long.bin aborted.bin');
  await dialogue.while(() => sizeOf(partial) > 1_000_000);
  dialogue.running.child.kill('SIGINT');
  await dialogue.ask(['get hello.bin after-abort.bin']);
  return dialogue.running.stdout().slice(from);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
