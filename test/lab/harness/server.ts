// What a lab server is, and how one is started: two processes of the same program, one per address family.
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeAccount, serverUid, withAccount, type Account } from './account.js';
import type { Certificate } from './certificates.js';
import { run, start, waitFor, type Running } from './command.js';
import type { ServerAddress } from './network.js';

/** The checkout, from dist/test/lab/harness/. */
export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');

/** Where one process of a server keeps its files, and what it serves. */
export interface Site {
  readonly address: string;
  readonly folder: string;
  readonly home: string;
  readonly certificate: Certificate;
  readonly account: Account;
}

/** A kind of server: the product and how it is set up. */
export interface ServerKind {
  readonly name: string;
  /** One line for the matrix: what is special about this set-up. */
  readonly setup: string;
  readonly secured: boolean;
  /** Whether the product knows MLSD at all. */
  readonly mlsd: boolean;
  /** It speaks TLS from the first byte on, at port 990. */
  readonly implicit?: boolean;
  /** How its greeting starts, `220` if absent; empty if it has none. */
  readonly greeting?: string;
  /** Writes its configuration into the site's folder and returns the command that serves the site in the foreground. */
  prepare(site: Site): readonly string[];
}

/** A server that runs. */
export interface LabServer {
  readonly kind: ServerKind;
  readonly address: ServerAddress;
  readonly home: string;
  readonly certificate: Certificate;
  /** Its processes, one per family; those of sessions are their children. */
  readonly pids: readonly number[];
  /** Everything that it has logged or printed. */
  log(): string;
  stop(): Promise<void>;
}

/** The folder where prerequisites.mjs unpacked a server. */
export function unpacked(name: string): string {
  return path.join(repository, '.lab', 'servers', name);
}

/** The environment prefix that lets an unpacked server find its unpacked libraries. */
export function withLibraries(name: string, argv: readonly string[]): readonly string[] {
  const root = unpacked(name);
  const folders = ['usr/lib', 'lib']
    .map((base) => path.join(root, base))
    .filter((base) => existsSync(base))
    .flatMap((base) => [base, ...readdirSync(base).map((entry) => path.join(base, entry))])
    .filter((folder) => folder.includes('-linux-'));
  return ['env', `LD_LIBRARY_PATH=${folders.join(':')}`, ...argv];
}

/** Starts a server on both families of `address` and waits until both greet. `folder` must not be used by another. */
export async function startServer(
  kind: ServerKind,
  where: { readonly namespace: string; readonly address: ServerAddress; readonly folder: string },
  certificate: Certificate,
): Promise<LabServer> {
  const home = path.join(where.folder, 'home');
  mkdirSync(home, { recursive: true });
  chownSync(home, serverUid, serverUid);
  const account = await makeAccount(path.join(where.folder, 'account'), home);
  const processes: Running[] = [];
  const folders: string[] = [];
  for (const [family, address] of [
    ['4', where.address.ipv4],
    ['6', where.address.ipv6],
  ] as const) {
    const folder = path.join(where.folder, `ipv${family}`);
    mkdirSync(folder, { recursive: true });
    folders.push(folder);
    const argv = kind.prepare({ address, folder, home, certificate, account });
    processes.push(start({ namespace: where.namespace }, withAccount(account, argv)));
    await waitFor(
      () => `${kind.name} on ${address}: ${logOf(processes, folders)}`,
      () => greets(where.namespace, address, kind),
    );
  }
  return {
    kind,
    address: where.address,
    home,
    certificate,
    pids: processes.map((running) => running.pid),
    log: () => logOf(processes, folders),
    stop: async () => {
      for (const running of processes) await running.stop();
    },
  };
}

function logOf(processes: readonly Running[], folders: readonly string[]): string {
  const printed = processes.map((running) => running.stdout() + running.stderr());
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.log'))
      .map((name) => readFileSync(path.join(folder, name), 'utf8')),
  );
  return [...printed, ...files].join('\n');
}

/** Node's own sockets live in the machine's namespace, so another process has to knock. */
async function greets(namespace: string, address: string, kind: ServerKind): Promise<boolean> {
  const to = { host: address, rejectUnauthorized: false, port: kind.implicit === true ? 990 : 21 };
  const script = `require('node:${kind.implicit === true ? 'tls' : 'net'}').connect(${JSON.stringify(to)}).on('connect', () => ${kind.greeting === ''} && process.exit(0)).on('data', (d) => process.exit(String(d).startsWith('${kind.greeting ?? '220'}') ? 0 : 1)).on('error', () => process.exit(1)).setTimeout(3000, () => process.exit(1))`;
  const finished = await run({ namespace }, [process.execPath, '-e', script]);
  return finished.code === 0;
}
