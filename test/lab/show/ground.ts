// What the lab tests through the daemon share: files at servers, a second person, and the daemon's own words about a session.
import { createHash } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import {
  openQuestionSchema,
  sessionViewSchema,
  statusSchema,
  storeContentsSchema,
} from '../../../shared/ipc-messages.js';
import type { QuestionView, SessionView, Status, StoreView } from '../../../shared/ipc-messages.js';
import { clientUid, serverUid } from '../harness/account.js';
import { waitFor } from '../harness/command.js';
import type { Daemon } from '../harness/ftpseal.js';
import type { Lab } from '../harness/lab.js';
import type { LabServer } from '../harness/server.js';

/** Another user of the client's host. */
export const otherUid = clientUid + 1;

/** Puts a file into the server's login folder. */
export function place(server: LabServer, name: string, bytes: Buffer): void {
  const file = path.join(server.home, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  chownSync(file, serverUid, serverUid);
}

/** The names in the server's login folder. */
export function namesAt(server: LabServer): readonly string[] {
  return readdirSync(server.home);
}

/** A file of the server's login folder. */
export function readAt(server: LabServer, name: string): Buffer {
  return readFileSync(path.join(server.home, name));
}

/** A folder for the client's files, its own. */
export function clientFolder(lab: Lab, name: string, uid = clientUid): string {
  const folder = path.join(lab.folder, name);
  mkdirSync(folder, { recursive: true });
  chownSync(folder, uid, uid);
  return folder;
}

/**
 * Names for a program that can't be told addresses in another way: `argv` as the given user, to be started as root, with a
 * hosts file of its own.
 */
export function withNames(
  lab: Lab,
  names: Readonly<Record<string, string>>,
): (uid: number, argv: readonly string[]) => readonly string[] {
  const file = path.join(lab.folder, `hosts-${Object.keys(names).join('-')}`);
  writeFileSync(
    file,
    Object.entries(names)
      .map(([name, address]) => `${address} ${name}\n`)
      .join(''),
  );
  const mounted = ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c'];
  return (uid, argv) => [
    ...[...mounted, 'mount --bind "$0" /etc/hosts && exec "$@"', file],
    ...['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--', ...argv],
  ];
}

/** SHA-256 in hex. */
export function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function status(daemon: Daemon, uid?: number): Promise<Status> {
  return statusSchema.parse(await daemon.json(['status'], uid));
}

export async function sessions(daemon: Daemon, uid?: number): Promise<readonly SessionView[]> {
  const answer = await daemon.json(['sessions'], uid);
  return z.object({ sessions: z.array(sessionViewSchema) }).parse(answer).sessions;
}

export async function questions(daemon: Daemon, uid?: number): Promise<readonly QuestionView[]> {
  const answer = await daemon.json(['prompts'], uid);
  return z.object({ questions: z.array(openQuestionSchema) }).parse(answer).questions;
}

export async function keys(daemon: Daemon, uid?: number): Promise<StoreView> {
  return storeContentsSchema.parse(await daemon.json(['keys', 'list'], uid));
}

/** Waits until a question about this server is open, and returns it. */
export async function questionAbout(daemon: Daemon, address: string, uid = clientUid): Promise<QuestionView> {
  let found: QuestionView | undefined;
  await waitFor(
    () => `a question about ${address}; the log: ${daemon.log().slice(-2000)}`,
    async () => {
      found = (await questions(daemon, uid)).find((one) => one.connection.server.address === address);
      return found !== undefined;
    },
  );
  if (found === undefined) throw new Error('unreachable');
  return found;
}
