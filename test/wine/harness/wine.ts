// A Windows of its own for a test: a copy of the template, Node for Windows and the staged program. Wine's processes share loopback
// with the test, see the whole disk as Z:, and end with `close`.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { argvAt } from '../../lab/harness/command.js';
import { WineProcess, type Finished } from './wine-process.js';

const repository = path.resolve(import.meta.dirname, '../../../..');

interface Ground {
  readonly node: string;
  readonly program: string;
  readonly template: string;
}

let ground: Ground | undefined;

/** Made by a program of its own, so that a test file can be run by itself. */
function groundOf(): Ground {
  ground ??= JSON.parse(
    execFileSync(process.execPath, [path.join(repository, 'installers/dev/wine.mjs')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  ) as Ground;
  return ground;
}

/** The desktop of this name has a task bar, with the status icons in it. */
const desktopSettings = `
[Software\\\\Wine\\\\Explorer]
"Desktop"="shell"

[Software\\\\Wine\\\\Explorer\\\\Desktops]
"shell"="1024x640"
`;

export interface WineOptions {
  /** An X display, for programs with windows; without one they have none. */
  readonly display?: string | undefined;
  /** The network namespace that this Windows is in; without one it is in the machine's own. */
  readonly namespace?: string | undefined;
}

export interface RunOptions {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** After this it is killed, and its code is -1. */
  readonly timeoutMs?: number | undefined;
}

export class Wine {
  /** For files of the test; inside Windows it is the same folder under Z:. */
  readonly folder: string;
  readonly prefix: string;
  readonly #options: WineOptions;
  readonly #started = new Set<WineProcess>();
  #count = 0;

  private constructor(folder: string, options: WineOptions) {
    this.folder = folder;
    this.prefix = path.join(folder, 'prefix');
    this.#options = options;
  }

  /** Takes about a second. `close` it in any case: its server outlives the test otherwise. */
  static open(options: WineOptions = {}): Wine {
    const { template } = groundOf();
    // On the template's own file system, whose files are linked.
    const wine = new Wine(mkdtempSync(path.join(path.dirname(template), 'run-')), options);
    mkdirSync(path.join(wine.folder, 'output'));
    copyPrefix(template, wine.prefix);
    if (options.display !== undefined) appendFileSync(path.join(wine.prefix, 'user.reg'), desktopSettings);
    return wine;
  }

  /** `C:`, as a folder of this machine. */
  get driveC(): string {
    return path.join(this.prefix, 'drive_c');
  }

  /** The tree that `ftpseal` runs from: package.json, dist/ and node_modules/. */
  get program(): string {
    return groundOf().program;
  }

  /** node.exe, as a file of this machine. */
  get nodeExe(): string {
    return groundOf().node;
  }

  /** How Windows calls a file of this machine: files of C: so, all others under Z:. */
  windowsPath(file: string): string {
    const inC = path.relative(this.driveC, file);
    const isInC = !inC.startsWith('..');
    return `${isInC ? 'C:\\' : 'Z:'}${(isInC ? inC : file).replaceAll('/', '\\')}`;
  }

  /** Starts a Windows program (a file of this machine, or a name that Windows finds) and lets it run. */
  start(argv: readonly string[], options: RunOptions = {}): WineProcess {
    this.#count++;
    const started = new WineProcess(argvAt({ namespace: this.#options.namespace }, ['wine', ...argv]), {
      output: path.join(this.folder, 'output', String(this.#count)),
      cwd: options.cwd ?? this.folder,
      env: { ...this.environment, ...options.env },
    });
    this.#started.add(started);
    void started.ended.then(() => this.#started.delete(started));
    return started;
  }

  /** Runs a Windows program to its end; never rejects for an exit code. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.start(argv, options).finish(options.timeoutMs ?? 60_000);
  }

  /** A configuration whose questions wait longer than a busy machine takes; as Windows calls the file. */
  patientConfig(): string {
    const file = path.join(this.folder, 'config.toml');
    writeFileSync(file, '[trust]\nprompt_timeout = "10m"\n');
    return this.windowsPath(file);
  }

  /** Wine ends its services with the last ordinary program; this one stays until `close`. */
  stayAwake(): void {
    this.start([this.nodeExe, '-e', 'setInterval(() => undefined, 60_000)']);
  }

  /** The arguments that make Node run a script: a file of this machine. */
  nodeArguments(script: string, args: readonly string[] = []): readonly string[] {
    return [this.nodeExe, this.windowsPath(script), ...args];
  }

  /** `ftpseal` with these arguments, to its end. */
  ftpseal(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.run(this.nodeArguments(this.#main, args), options);
  }

  /** `ftpseal` with these arguments, running on. */
  startFtpseal(args: readonly string[], options: RunOptions = {}): WineProcess {
    return this.start(this.nodeArguments(this.#main, args), options);
  }

  /** A script of test/wine/guest, compiled with the tests, to its end. It prints JSON, which is returned. */
  async guest(name: string, args: readonly string[] = [], options: RunOptions = {}): Promise<unknown> {
    const finished = await this.run(this.nodeArguments(this.guestScript(name), args), options);
    if (finished.code !== 0) throw new Error(`${name} ended with ${finished.code}: ${finished.stderr}`);
    return JSON.parse(finished.stdout);
  }

  guestScript(name: string): string {
    return path.join(this.program, 'dist/test/wine/guest', `${name}.js`);
  }

  /** Ends everything that runs in this Windows, and removes it. */
  async close(): Promise<void> {
    await Promise.all([...this.#started].map((one) => one.kill()));
    const env = { ...process.env, ...this.environment };
    spawnSync('wineserver', ['-k'], { env, stdio: 'ignore' });
    spawnSync('wineserver', ['-w'], { env, stdio: 'ignore', timeout: 10_000 });
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get environment(): Readonly<Record<string, string>> {
    const { display } = this.#options;
    return {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C.UTF-8',
      HOME: this.folder,
      WINEPREFIX: this.prefix,
      WINEARCH: 'win64',
      WINEDEBUG: process.env['FTPSEAL_WINEDEBUG'] ?? '-all',
      WINEDLLOVERRIDES: 'mscoree,mshtml=',
      ...(display === undefined ? {} : { DISPLAY: display }),
    };
  }

  get #main(): string {
    return path.join(this.program, 'dist/daemon/main.js');
  }
}

/** Hundreds of MB of libraries that nobody changes are linked; what Windows writes to is copied. */
function copyPrefix(template: string, prefix: string): void {
  execFileSync('cp', ['-al', template, prefix]);
  for (const part of ['system.reg', 'user.reg', 'userdef.reg', 'drive_c/users', 'drive_c/ProgramData']) {
    const source = path.join(template, part);
    if (!existsSync(source)) continue;
    rmSync(path.join(prefix, part), { recursive: true });
    cpSync(source, path.join(prefix, part), { recursive: true, verbatimSymlinks: true });
  }
}

/** The whole text of a file of this machine; empty where there is none. */
export function textOf(file: string, encoding: BufferEncoding = 'utf8'): string {
  return existsSync(file) ? readFileSync(file, encoding) : '';
}
