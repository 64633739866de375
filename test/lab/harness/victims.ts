// Sessions in the middle of something, for tests that kill what carries them: one that was only greeted, one that is
// logged in and idle, one that downloads. And what a newcomer meets at the same time.
import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { login } from './account.js';
import { waitFor } from './command.js';
import type { Lab } from './lab.js';
import { marker, writeContent } from './payload.js';
import type { Secret } from './pcap.js';
import type { LabServer } from './server.js';
import { SessionAgent } from './session-agent.js';

export const bigFile = 'big.bin';
/** Far more than what is read before something is killed, and little enough to be read to its end in a moment. */
export const bigSize = 40_000_000;
/** Seconds of rest after each 64 KiB: some 3 MB/s, so that the big file takes a quarter of a minute. */
const pause = 0.02;
/** The same for what must not be over before it is killed, however long that takes on a busy machine: five minutes. */
export const longPause = 0.5;
/** Seconds that a newcomer gives each answer. */
const newcomerPatience = 5;

/** What the victims say when what carried them is dead; none of it may ever be seen on the wire. */
const lastWords = { greeted: 'USER ghost-of-the-greeted', idle: 'PASS ghost-of-the-idle' } as const;

/** Everything that must never cross the wire in clear. The newcomer's words are no secret: see `newcomer`. */
export const secrets: readonly Secret[] = [
  { name: 'password', bytes: Buffer.from(login.password) },
  { name: 'user', bytes: Buffer.from(`USER ${login.user}`) },
  { name: 'file content', bytes: marker },
  { name: 'USER after the death', bytes: Buffer.from(lastWords.greeted) },
  { name: 'PASS after the death', bytes: Buffer.from(lastWords.idle) },
];

/** Lays out what the victims download, and where they put it. */
export function layVictims(lab: Lab, server: LabServer): void {
  const got = path.join(lab.folder, 'got');
  mkdirSync(got, { recursive: true });
  chmodSync(got, 0o777);
  writeContent(path.join(server.home, bigFile), bigSize);
}

/** How a new connection fares: through ftpseal, straight to the server in clear, or the name of its error. */
export type Fate = 'secured' | 'direct' | (string & {});

export class Victims {
  readonly agent: SessionAgent;
  readonly #host: string;
  readonly #folder: string;
  #newcomers = 0;

  constructor(lab: Lab, server: LabServer) {
    this.agent = new SessionAgent(lab);
    this.#host = server.address.ipv4;
    this.#folder = lab.folder;
  }

  /** Opens all three; the download is under way when it resolves. Rejects unless everything went well. */
  async open(): Promise<void> {
    await this.agent.ask({ op: 'open', name: 'greeted', host: this.#host });
    await this.logIn('idle');
    await this.download('download');
  }

  /** Opens a session under a name; returns the client's port. */
  async logIn(name: string): Promise<number> {
    const opened = await this.agent.ask({
      op: 'open',
      name,
      host: this.#host,
      login: [login.user, login.password],
    });
    if (opened.replies?.[0]?.startsWith('230') !== true)
      throw new Error(`the login: ${String(opened.replies?.[0])}`);
    return opened.ports?.[0] ?? 0;
  }

  /** A session that reads the big file slowly; `rest`: seconds after each 64 KiB. */
  async download(name: string, rest = pause): Promise<number> {
    const port = await this.logIn(name);
    await this.agent.reply({
      op: 'start',
      name,
      command: `RETR ${bigFile}`,
      path: this.fileOf(name),
      pause: rest,
    });
    await this.moves(name);
    return port;
  }

  /** Where a download of that name goes. */
  fileOf(name: string): string {
    return path.join(this.#folder, 'got', `${name}.bin`);
  }

  /** Waits until the transfer of that name has moved some more. */
  async moves(name: string): Promise<void> {
    const moved = async (): Promise<number> => (await this.agent.ask({ op: 'moved', name })).bytes ?? 0;
    const before = await moved();
    await waitFor(`bytes of ${name}`, async () => (await moved()) > before);
  }

  /** The greeted and the idle session speak on as if nothing had happened, until their sockets refuse it. */
  async speakOn(): Promise<void> {
    await Promise.all([
      this.agent.ask({ op: 'insist', name: 'greeted', text: lastWords.greeted }),
      this.agent.ask({ op: 'insist', name: 'idle', text: lastWords.idle }),
    ]);
  }

  /**
   * One new connection. It names a user that nobody has; a server that asks for TLS refuses the name at once when it comes
   * in clear, and asks for the password when it does not.
   */
  async newcomer(): Promise<Fate> {
    const name = `newcomer-${(this.#newcomers += 1)}`;
    const greeting = await this.agent.reply({
      op: 'open',
      name,
      host: this.#host,
      patience: newcomerPatience,
    });
    if (!greeting.startsWith('220')) return greeting;
    const reply = await this.agent.reply({ op: 'say', name, text: 'USER newcomer' });
    await this.agent.ask({ op: 'close', name });
    if (reply.startsWith('331')) return 'secured';
    return reply.startsWith('530') ? 'direct' : reply;
  }

  /** New connections, one after the other, until the condition holds; returns every fate that was met. */
  async newcomersUntil(condition: () => Promise<boolean>): Promise<ReadonlySet<Fate>> {
    const fates = new Set<Fate>();
    await waitFor(
      () => `the end; newcomers have met ${[...fates].join(', ')}`,
      async () => {
        fates.add(await this.newcomer());
        return condition();
      },
    );
    return fates;
  }
}
