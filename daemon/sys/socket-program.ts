// Which program holds a client's socket, for `ftpseal sessions` and for questions. Needs root for other users' programs
// and walks over every process: only on request, never for each connection.
import { readFile, readdir, readlink } from 'node:fs/promises';
import { win32 } from 'node:path';
import { findSocket } from './sock-diag.js';
import { connectionOwner } from './windows/connection-owner.js';
import type { Endpoint } from '../../shared/endpoint.js';

export interface Program {
  readonly pid: number;
  /** The file name of the executable, else what the process calls itself. At most 256 characters, not to be trusted. */
  readonly name: string | undefined;
}

/** The program behind the connection from `client` to its original destination `server`; `undefined` if there is none. */
export async function socketProgram(client: Endpoint, server: Endpoint): Promise<Program | undefined> {
  if (process.platform === 'win32') return windowsProgram(client, server);
  const socket = findSocket(client, server);
  if (socket === undefined) return undefined;
  const link = `socket:[${socket.inode}]`;
  for (const entry of await listOrNothing('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && (await holds(pid, link))) return { pid, name: await programName(pid) };
  }
  return undefined;
}

function windowsProgram(client: Endpoint, server: Endpoint): Program | undefined {
  const owner = connectionOwner(client, server);
  if (owner === undefined) return undefined;
  const name = owner.image === undefined ? undefined : win32.basename(owner.image).slice(0, 256);
  return { pid: owner.pid, name };
}

async function holds(pid: number, link: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await listOrNothing(folder)).map((fd) => orUndefined(readlink(`${folder}/${fd}`))),
  );
  return links.includes(link);
}

async function programName(pid: number): Promise<string | undefined> {
  const path = await orUndefined(readlink(`/proc/${pid}/exe`));
  const name = path?.split('/').at(-1) ?? (await orUndefined(readFile(`/proc/${pid}/comm`, 'utf8')))?.trim();
  return name?.slice(0, 256);
}

async function listOrNothing(folder: string): Promise<readonly string[]> {
  return (await orUndefined(readdir(folder))) ?? [];
}

// Processes end while we look, and those of others may be closed to us: both mean "not this one".
async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch {
    return undefined;
  }
}
