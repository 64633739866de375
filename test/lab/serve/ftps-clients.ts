// FTPS programs that we did not write, each doing the same work in one session or one process per file: list, fetch and store a
// small, an empty and a large file, and ask for one that is not there. Whether it worked is read from the files.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { clientUid, login } from '../harness/account.js';
import { run } from '../harness/command.js';
import type { Lab } from '../harness/lab.js';
import { repository } from '../harness/server.js';

export type Word = 'TLS' | 'TLS-C' | 'TLS-P' | 'SSL' | 'implicit' | 'none';

/** How a client is to work. */
export interface Way {
  readonly word: Word;
  readonly active: boolean;
  readonly extended: boolean;
  readonly version?: 2 | 3;
}

export interface FtpsTask extends Way {
  readonly lab: Lab;
  readonly address: string;
  /** The client's folder, and its folder on the server. */
  readonly folder: string;
  readonly remote: string;
  /** A PEM file with the client's certificate and key. */
  readonly certificate?: string;
}

export interface FtpsClient {
  readonly name: string;
  /** It can't store an empty file over TLS. */
  readonly noEmptyUpload?: boolean;
  /** Why it can't work that way, or undefined. */
  obstacle(way: Way, family: 4 | 6): string | undefined;
  /** Everything that it said. */
  perform(task: FtpsTask): Promise<string>;
}

const pythonSource = readFileSync(path.join(repository, 'test/lab/clients/ftps_client.py'), 'utf8');

/** The command line of Python's ftplib with any of its settings. */
export function pythonArgv(task: FtpsTask, more: Readonly<Record<string, unknown>>): readonly string[] {
  const order = JSON.stringify({
    ...{ address: task.address, folder: task.folder, remote: task.remote, ...login },
    ...{ word: task.word, active: task.active, extended: task.extended, version: task.version },
    ...(task.certificate === undefined ? {} : { certificate: task.certificate }),
    ...{ private: task.word !== 'none', prot: task.word === 'none' ? '' : 'P', reuse: true },
    steps: ['list', 'get', 'put', 'empty', 'large', 'missing'],
    ...more,
  });
  return ['/usr/bin/python3', '-u', '-c', pythonSource, order];
}

/** Runs it to its end; everything it said. */
export async function python(task: FtpsTask, more: Readonly<Record<string, unknown>>): Promise<string> {
  const place = { namespace: task.lab.network.pc, uid: clientUid, cwd: task.folder };
  const finished = await run(place, pythonArgv(task, more), { timeoutMs: 120_000 });
  return finished.stdout + finished.stderr;
}

function noIpv4Commands(way: Way, family: 4 | 6): string | undefined {
  return family === 6 && !way.extended ? 'PASV and PORT carry IPv4 addresses only' : undefined;
}

export const pythonClient: FtpsClient = {
  name: 'python-ftplib',
  obstacle: (way, family) => {
    if (way.active && way.extended !== (family === 6)) return 'ftplib chooses PORT or EPRT by family';
    return noIpv4Commands(way, family);
  },
  perform: (task) => python(task, {}),
};

function host(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

export const curlClient: FtpsClient = {
  name: 'curl',
  obstacle: (way, family) => {
    if (way.word !== 'TLS' && way.word !== 'implicit' && way.word !== 'none')
      return 'curl says AUTH SSL, then AUTH TLS, by itself';
    if (way.active && way.word !== 'none')
      return 'curl 7.88 begins no TLS on active data connections, at native servers neither';
    return noIpv4Commands(way, family);
  },
  perform: async (task) => {
    const scheme = task.word === 'implicit' ? 'ftps' : 'ftp';
    const url = `${scheme}://${host(task.address)}/${task.remote}/`;
    const versions = { 2: ['--tls-max', '1.2'], 3: ['--tlsv1.3'] };
    const passive = task.extended ? ['--ftp-pasv'] : ['--ftp-pasv', '--disable-epsv'];
    const active = ['--ftp-port', '-', ...(task.extended ? [] : ['--disable-eprt'])];
    const base = [
      ...['curl', '-sS', '-v', '-k', '--max-time', '60', '--user', `${login.user}:${login.password}`],
      ...(task.word === 'TLS' ? ['--ssl-reqd'] : []),
      ...(task.version === undefined ? [] : versions[task.version]),
      ...(task.active ? active : passive),
      ...(task.certificate === undefined ? [] : ['--cert', task.certificate]),
    ];
    const place = { namespace: task.lab.network.pc, uid: clientUid, cwd: task.folder };
    let said = '';
    for (const argv of [
      [url],
      ['--output', 'got.bin', `${url}hello.bin`],
      ['--upload-file', 'hello.local', `${url}put.bin`],
      ['--upload-file', 'empty.local', `${url}empty.up`],
      ['--output', 'empty.down', `${url}empty.bin`],
      ['--output', 'large.down', `${url}large.bin`],
      ['--upload-file', 'large.local', `${url}large.up`],
      ['--output', 'missing.bin', `${url}missing.bin`],
    ]) {
      const finished = await run(place, [...base, ...argv], { timeoutMs: 90_000 });
      said += `${argv.join(' ')}\n${finished.stdout}${finished.stderr}exit code ${finished.code}\n`;
    }
    return said;
  },
};

export const lftpClient: FtpsClient = {
  name: 'lftp',
  obstacle: (way, family) => {
    if (way.active && way.extended && family === 4) return 'lftp uses EPRT only over IPv6';
    return noIpv4Commands(way, family);
  },
  perform: async (task) => {
    const yesIf = (condition: boolean): string => (condition ? 'yes' : 'no');
    const scheme = task.word === 'implicit' ? 'ftps' : 'ftp';
    const port = task.word === 'implicit' ? ':990' : '';
    const lines = [
      `set ftp:ssl-allow ${yesIf(task.word !== 'none')}`,
      `set ftp:ssl-force ${yesIf(task.word !== 'none')}`,
      ...(task.word === 'implicit' || task.word === 'none' ? [] : [`set ftp:ssl-auth ${task.word}`]),
      'set ftp:ssl-protect-data yes',
      'set ssl:verify-certificate no',
      ...(task.version === 2 ? ['set ssl:priority NORMAL:-VERS-TLS1.3'] : []),
      ...(task.certificate === undefined
        ? []
        : [`set ssl:cert-file ${task.certificate}`, `set ssl:key-file ${task.certificate}`]),
      `set ftp:passive-mode ${yesIf(!task.active)}`,
      `set ftp:prefer-epsv ${yesIf(task.extended)}`,
      'set ftp:use-mlsd no',
      'set net:max-retries 1',
      'set net:timeout 8',
      'set net:reconnect-interval-base 1',
      'set cmd:fail-exit no',
      'set xfer:clobber yes',
      'debug 5',
      `open -u ${login.user},${login.password} ${scheme}://${host(task.address)}${port}`,
      `cd ${task.remote}`,
      'ls',
      'get hello.bin -o got.bin',
      'put hello.local -o put.bin',
      'put empty.local -o empty.up',
      'get empty.bin -o empty.down',
      'get large.bin -o large.down',
      'put large.local -o large.up',
      'get missing.bin -o missing.bin',
      'bye',
      '',
    ];
    const env = { HOME: path.join(task.folder, 'home') };
    const place = { namespace: task.lab.network.pc, uid: clientUid, cwd: task.folder, env };
    const finished = await run(place, ['sh', '-c', 'exec stdbuf -oL lftp 2>&1'], {
      input: lines.join('\n'),
      timeoutMs: 90_000,
    });
    return finished.stdout;
  },
};

/** basic-ftp, by way of ftps-basic-ftp.ts in the staged program. */
export function basicFtpClient(program: string): FtpsClient {
  return {
    name: 'basic-ftp',
    noEmptyUpload: true,
    obstacle: (way, family) => {
      if (way.active) return 'basic-ftp has no active mode';
      if (way.word !== 'TLS' && way.word !== 'implicit' && way.word !== 'none')
        return 'basic-ftp says AUTH TLS only';
      return noIpv4Commands(way, family);
    },
    perform: async (task) => {
      const { address, folder, remote, word, extended, version } = task;
      const certificate = task.certificate ?? '';
      const order = { address, folder, remote, word, extended, version: version ?? 0, certificate, ...login };
      const place = { namespace: task.lab.network.pc, uid: clientUid, cwd: folder };
      const script = path.join(program, 'dist/test/lab/serve/ftps-basic-ftp.js');
      const finished = await run(place, [process.execPath, script, JSON.stringify(order)], {
        timeoutMs: 90_000,
      });
      return finished.stdout + finished.stderr;
    },
  };
}
