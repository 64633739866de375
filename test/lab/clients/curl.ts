// curl without TLS: one process for each piece of work, one for all the files of `many`.
import { run } from '../harness/command.js';
import { isActive, isExtended, workOf, type LabClient, type Operation, type Task } from './client.js';

/** The argument lists of the processes for one piece of work; `url` is the remote folder with a slash at its end. */
function commands(task: Task, url: string): Readonly<Record<Operation, readonly (readonly string[])[]>> {
  const at = (name: string): string => `${task.remote}/${name}`;
  const quote = (...lines: readonly string[]): readonly string[] => [
    ...lines.flatMap((line) => ['--quote', line]),
    url,
  ];
  return {
    list: [[url]],
    nlst: [['--list-only', url]],
    mlsd: [['--request', 'MLSD', url]],
    get: [['--output', 'got.bin', `${url}hello.bin`]],
    put: [['--upload-file', 'hello.bin', `${url}put.bin`]],
    append: [['--append', '--upload-file', 'tail.bin', `${url}append.bin`]],
    restart: [['--continue-at', '30000', '--output', 'restart.bin', `${url}hello.bin`]],
    rename: [quote(`RNFR ${at('rename-me')}`, `RNTO ${at('renamed')}`)],
    delete: [quote(`DELE ${at('delete-me')}`)],
    mkdir: [quote(`MKD ${at('new-dir')}`)],
    empty: [
      ['--upload-file', 'empty-up', `${url}empty-up`],
      ['--output', 'empty-down', `${url}empty-down`],
    ],
    'failed-retr': [['--output', 'missing.bin', `${url}missing.bin`]],
    abort: [],
    many: [
      ['--upload-file', 'many/up-[001-200]', `${url}many/`],
      ['--output', 'many/down-#1', `${url}many/down-[001-200]`],
    ],
    huge: [
      ['--output', 'huge.down', `${url}huge.bin`],
      ['--upload-file', 'huge.local', `${url}huge.up`],
    ],
  };
}

function modeOptions(task: Task): readonly string[] {
  if (isActive(task.mode)) return ['--ftp-port', '-', ...(isExtended(task.mode) ? [] : ['--disable-eprt'])];
  return ['--ftp-pasv', ...(isExtended(task.mode) ? [] : ['--disable-epsv'])];
}

export const curl: LabClient = {
  name: 'curl',
  cannot: { abort: 'curl never sends ABOR: it hangs up' },
  obstacle: (mode, family) =>
    family === 6 && !isExtended(mode) ? 'PASV and PORT carry IPv4 addresses only' : undefined,
  perform: async (task) => {
    const host = task.family === 6 ? `[${task.address}]` : task.address;
    const list = commands(task, `ftp://${host}/${task.remote}/`);
    const base = ['curl', '-sS', '-v', '--max-time', '150', '--user', `${task.user}:${task.password}`];
    const place = { namespace: task.namespace, uid: task.uid, cwd: task.folder };
    const outputs = new Map<string, string>();
    for (const operation of workOf(curl, task)) {
      let said = '';
      for (const argv of list[operation]) {
        const finished = await run(place, [...base, ...modeOptions(task), ...argv], { timeoutMs: 160_000 });
        said += `${argv.join(' ')}\n${finished.stdout}${finished.stderr}exit code ${finished.code}\n`;
      }
      outputs.set(operation, said);
    }
    const transcript = [...outputs].map(([name, said]) => `@@${name}\n${said}`).join('');
    return { outputs, transcript };
  },
};
