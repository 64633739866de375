// Runs the matrix: server x client x mode x family, one verdict for each cell, and prints it as a table.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { everyWay } from './clients/all.js';
import {
  workOf,
  type Family,
  type LabClient,
  type Mode,
  type Operation,
  type Task,
} from './clients/client.js';
import { clientUid, login } from './harness/account.js';
import type { Lab } from './harness/lab.js';
import type { LabServer } from './harness/server.js';
import { cleanUp, failureOf, prepare } from './work.js';

/** A way to reach a server: one column of the table. */
export interface Way {
  readonly mode: Mode;
  readonly family: Family;
}

/** What came out of one cell. */
export type Verdict =
  | { readonly kind: 'passed'; readonly done: readonly Operation[]; readonly seconds: number }
  | { readonly kind: 'impossible'; readonly reason: string }
  | { readonly kind: 'failed'; readonly failures: readonly string[]; readonly transcript: string };

export interface Cell {
  readonly server: LabServer;
  readonly client: LabClient;
  readonly way: Way;
}

/** What all cells of a run share. */
export interface MatrixGround {
  readonly lab: Lab;
  readonly program: string;
  readonly huge: { readonly file: string; readonly sha256: string };
  /** Of the file whose transfer is aborted: long enough that nobody has it before, short enough to drain what is left. */
  readonly longBytes: number;
}

/** Two names in one word, for folders and test titles. */
export function titleOf(cell: Cell): string {
  return `${cell.server.kind.name} ${cell.client.name} ${cell.way.mode} IPv${cell.way.family}`;
}

/** Every cell of one server and one client. */
export function cellsOf(server: LabServer, client: LabClient): readonly Cell[] {
  return everyWay.map((way) => ({ server, client, way }));
}

/**
 * Does the work of one cell. The 300 MB file and the 200 files go one way each per server and client, in turn over the ways
 * that the client has (`turn` shifts the choice), because all of them every way would take an hour.
 */
export async function runCell(ground: MatrixGround, cell: Cell, turn: number): Promise<Verdict> {
  const { server, client, way } = cell;
  const reason = client.obstacle(way.mode, way.family);
  if (reason !== undefined) return { kind: 'impossible', reason };
  const name = titleOf(cell).replaceAll(' ', '-');
  const folders = {
    local: path.join(ground.lab.folder, 'cells', name),
    remote: path.join(server.home, name),
  };
  mkdirSync(path.join(ground.lab.folder, 'cells'), { recursive: true });
  prepare(folders, { huge: ground.huge.file, longBytes: ground.longBytes });
  const task: Task = {
    namespace: ground.lab.network.pc,
    uid: clientUid,
    address: way.family === 4 ? server.address.ipv4 : server.address.ipv6,
    family: way.family,
    mode: way.mode,
    ...login,
    folder: folders.local,
    remote: name,
    leaveOut: leftOut(cell, turn),
    program: ground.program,
  };
  const started = Date.now();
  const report = await client.perform(task);
  const done = workOf(client, task);
  const failures: string[] = [];
  for (const operation of done) {
    const failure = await failureOf(operation, report, folders, ground);
    if (failure !== undefined) failures.push(`${operation}: ${failure}`);
  }
  cleanUp(folders);
  if (failures.length > 0) return { kind: 'failed', failures, transcript: report.transcript };
  return { kind: 'passed', done, seconds: (Date.now() - started) / 1000 };
}

function isSameWay(one: Way, other: Way): boolean {
  return one.mode === other.mode && one.family === other.family;
}

function leftOut(cell: Cell, turn: number): readonly Operation[] {
  const ways = everyWay.filter((way) => cell.client.obstacle(way.mode, way.family) === undefined);
  const own = ways.findIndex((way) => isSameWay(way, cell.way));
  const out: Operation[] = [];
  // curl 7.88 waits a whole second whenever a PASV reply is quicker than itself; its turn is an active one.
  if (own !== turn % ways.length) out.push('many');
  if (own !== (turn + 1) % ways.length) out.push('huge');
  if (!cell.server.kind.mlsd) out.push('mlsd');
  return out;
}

const shortNames: Readonly<Record<Mode, string>> = {
  passive: 'PASV',
  'extended passive': 'EPSV',
  active: 'PORT',
  'extended active': 'EPRT',
};

/** The results as text: a line for each server and client, a column for each way, and every reason below. */
export function formatMatrix(results: readonly { readonly cell: Cell; readonly verdict: Verdict }[]): string {
  const notes: string[] = [];
  const noteOf = (text: string): string => {
    if (!notes.includes(text)) notes.push(text);
    return `[${notes.indexOf(text) + 1}]`;
  };
  const heads = everyWay.map((way) => `${shortNames[way.mode]} IPv${way.family}`);
  const rows = new Map<string, string[]>();
  for (const { cell, verdict } of results) {
    const key = `${cell.server.kind.name.padEnd(16)} ${cell.client.name.padEnd(14)}`;
    const row = rows.get(key) ?? heads.map(() => 'not run');
    rows.set(key, row);
    row[everyWay.findIndex((way) => isSameWay(way, cell.way))] = cellText(cell, verdict, noteOf);
  }
  const lines = [...rows].map(([key, row]) => `${key} ${row.map((text) => text.padEnd(12)).join('')}`);
  const header = `${'server'.padEnd(16)} ${'client'.padEnd(14)} ${heads.map((head) => head.padEnd(12)).join('')}`;
  const legend = [
    'N ok: all N operations of this cell did what they should; +big, +200: also the big file both ways, 200 files each way.',
    ...notes.map((note, index) => `[${index + 1}] ${note}`),
  ];
  return [header, ...lines, '', ...legend, ''].join('\n');
}

function cellText(cell: Cell, verdict: Verdict, noteOf: (text: string) => string): string {
  switch (verdict.kind) {
    case 'impossible':
      return `- ${noteOf(verdict.reason)}`;
    case 'failed':
      return `FAIL ${noteOf(`${titleOf(cell)}: ${verdict.failures.join('; ')}`)}`;
    case 'passed': {
      const extras = `${verdict.done.includes('huge') ? '+big' : ''}${verdict.done.includes('many') ? '+200' : ''}`;
      const small = verdict.done.filter((name) => name !== 'huge' && name !== 'many').length;
      return `${small} ok${extras}`;
    }
  }
}

/** The operations that no cell of a server and client could do, with the reason, for the table's foot. */
export function formatLimits(clients: readonly LabClient[], servers: readonly LabServer[]): string {
  const ofClients = clients.flatMap((client) =>
    Object.entries(client.cannot).map(([name, reason]) => `${client.name}: no ${name} (${reason})`),
  );
  const ofServers = servers
    .filter((server) => !server.kind.mlsd)
    .map((server) => `${server.kind.name}: no mlsd (the server has no MLSD)`);
  return [...ofClients, ...ofServers, ''].join('\n');
}
