// Where the soak happens: three hosts, real servers with files, the daemon with an eye in it, and what all parts share.
import { chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { statusSchema, type Status } from '../../shared/ipc-messages.js';
import { clientUid } from '../lab/harness/account.js';
import type { Certificate } from '../lab/harness/certificates.js';
import { must, sleep } from '../lab/harness/command.js';
import { startDaemon, type Daemon } from '../lab/harness/ftpseal.js';
import { openLab, type Lab } from '../lab/harness/lab.js';
import { content, sha256 } from '../lab/harness/payload.js';
import { repository, type ServerKind } from '../lab/harness/server.js';
import { proftpd12, proftpd13 } from '../lab/servers/proftpd.js';
import { pureFtpdTls } from '../lab/servers/pure-ftpd.js';
import { vsftpdPlain, vsftpdTls } from '../lab/servers/vsftpd.js';
import { ProbedProgram } from './probed-program.js';
import { SoakServer } from './server.js';

/** A file that lies ready at every server and at the clients. */
export interface Source {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

export const workers = 2;
/** The threads of the proxy by the names of the probes. */
export const threads = ['main', ...Array.from({ length: workers }, (_, index) => `worker-${index}`)];
export const listFolder = 'list';
export const uploadFolder = 'up';
export const sourceFolder = 'src';
const listed = 300;
/** What stands in the folder that is listed. */
export const listedNames = Array.from({ length: listed }, (_, index) => `name-${index}-${'x'.repeat(20)}`);
const sizes = [0, 1, 1000, 1024, 65_536, 65_537, 1_000_000, 5_000_000, 20_000_000];
/** Distinct keys of the server that nobody vouches for; each makes one question that stays open. */
const strangerKeyCount = 5;

interface Parts {
  readonly lab: Lab;
  readonly probed: ProbedProgram;
  readonly servers: readonly SoakServer[];
  readonly stranger: SoakServer;
  readonly strangerKeys: readonly Certificate[];
  readonly sources: readonly Source[];
}

export class Ground {
  readonly lab: Lab;
  readonly probed: ProbedProgram;
  readonly servers: readonly SoakServer[];
  /** Nobody ever answers the question about its key. */
  readonly stranger: SoakServer;
  readonly sources: readonly Source[];
  readonly #config: string;
  readonly #strangerKeys: readonly Certificate[];
  readonly #logs: string[] = [];
  #daemon: Daemon | undefined;
  #strangerTurn = 0;

  constructor(parts: Parts) {
    this.lab = parts.lab;
    this.probed = parts.probed;
    this.servers = parts.servers;
    this.stranger = parts.stranger;
    this.sources = parts.sources;
    this.#strangerKeys = parts.strangerKeys;
    this.#config = configFor(parts.servers, parts.stranger);
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error('the daemon is not running');
    return this.#daemon;
  }

  /** What every daemon of the run has printed. */
  log(): string {
    return this.#logs.join('') + this.daemon.log();
  }

  /** Starts the daemon, or starts it again with the state that it left. */
  async startDaemon(): Promise<void> {
    if (this.#daemon !== undefined) this.#logs.push(this.#daemon.log());
    this.#daemon = await startDaemon(this.lab, 'soak', this.#config, { program: this.probed.program });
    await this.untilReady();
  }

  async status(): Promise<Status> {
    return statusSchema.parse(await this.daemon.json(['status']));
  }

  /** Waits until it redirects and every worker lives. Throws after half a minute. */
  async untilReady(): Promise<void> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const { code, stdout } = await this.daemon.cli(['status', '--json']);
      const now = code === 0 ? statusSchema.parse(JSON.parse(stdout)) : undefined;
      if (now?.redirect.kind === 'active' && now.workers.every(({ alive }) => alive)) return;
      if (Date.now() > deadline) throw new Error(`the daemon is not ready again: ${stdout}`);
      await sleep(200);
    }
  }

  /** The proxy's process. */
  get proxyPid(): number {
    return this.probed.last('main')?.pid ?? -1;
  }

  ruleset(): Promise<string> {
    return must({ namespace: this.lab.network.pc }, ['nft', 'list', 'ruleset']);
  }

  /** The stranger comes back with its next key. */
  async changeStranger(): Promise<void> {
    this.#strangerTurn += 1;
    await this.stranger.stop();
    await this.stranger.start(this.#strangerKeys[this.#strangerTurn % this.#strangerKeys.length]);
  }

  /** A fresh folder of a client. */
  clientFolder(name: string): string {
    const folder = path.join(this.lab.folder, 'clients', name);
    mkdirSync(folder, { recursive: true });
    chownSync(folder, clientUid, clientUid);
    return folder;
  }

  /** The client's copy of a source. */
  localSource(source: Source): string {
    return path.join(this.lab.folder, 'sources', source.name);
  }

  async close(): Promise<void> {
    for (const server of [...this.servers, this.stranger]) await server.stop();
    await this.lab.close();
  }
}

/**
 * Opens everything and starts the daemon; the keys of all servers but the stranger are known to it. `quick` does with fewer
 * servers.
 */
export async function openGround(options: { readonly quick: boolean }): Promise<Ground> {
  const lab = await openLab({ third: true });
  try {
    const ground = new Ground(await openParts(lab, options.quick ? fewKinds : allKinds));
    await ground.startDaemon();
    for (const { address, certificate } of ground.servers.filter(({ kind }) => kind.secured))
      for (const one of [address.ipv4, address.ipv6])
        await ground.daemon.json(['keys', 'add', one, certificate.fingerprint]);
    return ground;
  } catch (error) {
    await lab.close();
    throw error;
  }
}

type Kinds = readonly (readonly [string, ServerKind])[];

const fewKinds: Kinds = [
  ['vsftpd', vsftpdTls],
  ['proftpd-1.2', proftpd12],
  ['plain', vsftpdPlain],
];
const allKinds: Kinds = [...fewKinds, ['proftpd-1.3', proftpd13], ['pure-ftpd', pureFtpdTls]];

async function openParts(lab: Lab, kinds: Kinds): Promise<Parts> {
  for (const script of ['test/soak/session.py', 'test/lab/clients/ftplib_modes.py'])
    copyFileSync(path.join(repository, script), path.join(lab.folder, path.basename(script)));
  const sources = laySources(path.join(lab.folder, 'sources'));
  const servers: SoakServer[] = [];
  for (const [name, kind] of kinds) servers.push(await openServer(lab, name, kind, sources));
  const stranger = await openServer(lab, 'stranger', vsftpdTls, sources);
  const strangerKeys = [stranger.certificate];
  for (let key = 1; key < strangerKeyCount; key += 1)
    strangerKeys.push(await lab.certificate(`stranger-${key}`));
  const probed = await ProbedProgram.stage(lab.folder);
  return { lab, probed, servers, stranger, strangerKeys, sources };
}

async function openServer(
  lab: Lab,
  name: string,
  kind: ServerKind,
  sources: readonly Source[],
): Promise<SoakServer> {
  const server = new SoakServer(lab, name, kind, await lab.certificate(name));
  await server.start();
  for (const folder of [listFolder, uploadFolder, sourceFolder]) server.folder(folder);
  for (const [index, { name: file, size }] of sources.entries())
    server.put(path.join(sourceFolder, file), content(size, index + 1));
  for (const listedName of listedNames) server.put(path.join(listFolder, listedName), Buffer.alloc(0));
  return server;
}

function laySources(folder: string): readonly Source[] {
  mkdirSync(folder);
  return sizes.map((size, index) => {
    const name = `file-${size}`;
    const file = path.join(folder, name);
    writeFileSync(file, content(size, index + 1));
    return { name, size, sha256: sha256(file) ?? '' };
  });
}

/** Closed while the daemon is dead: no password may be seen then either. The plain server is let pass, and nothing else. */
function configFor(servers: readonly SoakServer[], stranger: SoakServer): string {
  const both = ({ address }: SoakServer): readonly string[] => [address.ipv4, address.ipv6];
  const plain = servers.filter(({ kind }) => !kind.secured).flatMap(both);
  return [
    '[trust]\nunknown = "ask"\nstore = "file"\n[fallback]\ncleartext = "refuse"',
    `[divert]\nworkers = ${workers}\non_failure = "closed"`,
    ...plain.map((match) => `[[host]]\nmatch = "${match}"\n[host.fallback]\ncleartext = "allow"`),
    ...both(stranger).map((match) => `[[host]]\nmatch = "${match}"\n[host.trust]\nprompt_timeout = "8s"`),
    '',
  ].join('\n');
}
