// What the numbers were taken on: hardware, kernel and the versions of everything that took part.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { run } from '../lab/harness/command.js';
import { repository, unpacked, withLibraries } from '../lab/harness/server.js';

/** One machine at one time. */
export interface Machine {
  readonly date: string;
  /** Load averages of 1, 5 and 15 minutes before the run: what else the machine was doing. */
  readonly load: readonly number[];
  readonly commit: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** Version by program: Node, OpenSSL (Node's own), curl, Python, vsftpd, ProFTPD, mod_proxy, stunnel, socat. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Looks all of it up; what can't be found out is `unknown`. */
export async function describeMachine(): Promise<Machine> {
  return {
    date: new Date().toISOString().slice(0, 10),
    load: currentLoad(),
    commit: commit(),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: /^\d+\.\d+\.\d+/.exec(release())?.[0] ?? 'unknown',
    versions: await versions(),
  };
}

/** Load averages of 1, 5 and 15 minutes. */
export function currentLoad(): readonly number[] {
  return loadavg().map((value) => Number(value.toFixed(1)));
}

async function versions(): Promise<Readonly<Record<string, string>>> {
  const proftpd = `${unpacked('proftpd-proxy')}/usr/sbin/proftpd`;
  return {
    Node: process.version,
    OpenSSL: process.versions.openssl,
    curl: await versionOf(['curl', '--version'], /^curl (\S+)/),
    Python: await versionOf(['/usr/bin/python3', '--version'], /(\d\S+)/),
    // It prints its version on standard input.
    vsftpd: await versionOf(
      withLibraries('vsftpd', ['sh', '-c', '"$0" -v 0>&1', `${unpacked('vsftpd')}/usr/sbin/vsftpd`]),
      /version (\S+)/,
    ),
    ProFTPD: await versionOf(withLibraries('proftpd-proxy', [proftpd, '--version']), /(\d\S+)/),
    mod_proxy: modProxyVersion(),
    stunnel: await versionOf(['stunnel4', '-version'], /^stunnel (\S+)/m),
    socat: await versionOf(['socat', '-V'], /^socat version (\S+)/m),
  };
}

function commit(): string {
  try {
    const git = (args: readonly string[]): string =>
      execFileSync('git', ['-C', repository, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    const changed =
      git(['status', '--porcelain', '--', 'daemon', 'shared', 'package-lock.json']).trim() !== '';
    return `${git(['rev-parse', '--short', 'HEAD']).trim()}${changed ? ' with changes' : ''}`;
  } catch {
    return 'unknown'; // not a checkout
  }
}

/** The module names itself in its log lines only, so the version is read from its binary. */
function modProxyVersion(): string {
  try {
    const binary = readFileSync(`${unpacked('proftpd-proxy')}/usr/lib/proftpd/mod_proxy.so`, 'latin1');
    return /mod_proxy\/(\d+(?:\.\d+)+)/.exec(binary)?.[1] ?? 'unknown';
  } catch {
    return 'unknown'; // not unpacked
  }
}

async function versionOf(argv: readonly string[], pattern: RegExp): Promise<string> {
  const { stdout, stderr } = await run({}, argv);
  return pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
}
