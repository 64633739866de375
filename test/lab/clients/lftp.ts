// lftp with its own FTPS switched off.
import path from 'node:path';
import { run } from '../harness/command.js';
import {
  isActive,
  isExtended,
  splitTranscript,
  workOf,
  type LabClient,
  type Operation,
  type Task,
} from './client.js';

const untilPartial =
  '!i=0; until [ $(stat -c %s aborted.bin 2>/dev/null || echo 0) -gt 1000000 ] || [ $i -gt 400 ]; do i=$((i+1)); sleep 0.05; done';

const script: Readonly<Record<Operation, readonly string[]>> = {
  list: ['ls'],
  nlst: ['nlist'],
  mlsd: ['set ftp:use-mlsd yes', 'cache flush', 'cls -l', 'set ftp:use-mlsd no'],
  get: ['get hello.bin -o got.bin'],
  put: ['put hello.bin -o put.bin'],
  // lftp appends when it continues an upload and may not use REST before STOR.
  append: ['set ftp:rest-stor no', 'put -c appended.local -o append.bin', 'set ftp:rest-stor yes'],
  restart: ['get -c hello.bin -o restart.bin'],
  rename: ['mv rename-me renamed'],
  delete: ['rm delete-me'],
  mkdir: ['mkdir new-dir'],
  empty: ['put empty-up -o empty-up', 'get empty-down -o empty-down'],
  'failed-retr': ['get missing.bin -o missing.bin'],
  abort: [
    'get long.bin -o aborted.bin &',
    untilPartial,
    'kill all',
    'wait all',
    'get hello.bin -o after-abort.bin',
  ],
  many: ['mput -O many many/up-*', 'lcd many', 'mget many/down-*', 'lcd ..'],
  huge: ['get huge.bin -o huge.down', 'put huge.local -o huge.up'],
};

function settings(task: Task): readonly string[] {
  const yesIf = (condition: boolean): string => (condition ? 'yes' : 'no');
  return [
    'set ftp:ssl-allow no',
    `set ftp:passive-mode ${yesIf(!isActive(task.mode))}`,
    `set ftp:prefer-epsv ${yesIf(isExtended(task.mode))}`,
    'set ftp:use-mlsd no',
    'set ftp:use-abor yes',
    // It waits 15 seconds for a second reply to ABOR when the server's 426 and 226 come close together.
    'set ftp:abor-max-wait 3',
    'set net:max-retries 1',
    // After an abort Pure-FTPd with TLS owes lftp a reply, natively too; this is how long lftp waits for it.
    'set net:timeout 8',
    'set net:reconnect-interval-base 1',
    'set cmd:interactive no',
    'set cmd:fail-exit no',
    'set xfer:clobber yes',
    'debug 5',
    `open -u ${task.user},${task.password} ftp://${task.family === 6 ? `[${task.address}]` : task.address}`,
    `cd ${task.remote}`,
  ];
}

export const lftp: LabClient = {
  name: 'lftp',
  cannot: {},
  obstacle: (mode, family) => {
    if (family === 6 && !isExtended(mode)) return 'PASV and PORT carry IPv4 addresses only';
    if (family === 4 && mode === 'extended active') return 'lftp uses EPRT only over IPv6';
    return undefined;
  },
  perform: async (task) => {
    const work = workOf(lftp, task).flatMap((name) => [`echo @@${name}`, ...script[name]]);
    const place = {
      namespace: task.namespace,
      uid: task.uid,
      cwd: task.folder,
      env: { HOME: path.join(task.folder, 'home') },
    };
    const lines = [...settings(task), ...work, 'echo @@end', 'bye', ''].join('\n');
    // One stream, so that its protocol log stands between the marks.
    const finished = await run(place, ['sh', '-c', 'exec stdbuf -oL lftp 2>&1'], {
      input: lines,
      timeoutMs: 120_000,
    });
    return { outputs: splitTranscript(finished.stdout), transcript: finished.stdout };
  },
};
