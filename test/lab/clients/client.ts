// What a lab client is: a real FTP program, driven through a fixed list of work in one mode over one family.

/** How the client wants its data connections; extended is EPSV and EPRT, the others PASV and PORT. */
export type Mode = 'passive' | 'extended passive' | 'active' | 'extended active';
export type Family = 4 | 6;

/** The work list, in the order in which every client does it. The abort is last: lftp may go on in another mode after it. */
export const operations = [
  'list',
  'nlst',
  'mlsd',
  'get',
  'put',
  'append',
  'restart',
  'rename',
  'delete',
  'mkdir',
  'empty',
  'failed-retr',
  'many',
  'huge',
  'abort',
] as const;
export type Operation = (typeof operations)[number];

/** One cell of the matrix as the client sees it. The names of files are fixed, see work.ts. */
export interface Task {
  readonly namespace: string;
  readonly uid: number;
  readonly address: string;
  readonly family: Family;
  readonly mode: Mode;
  readonly user: string;
  readonly password: string;
  /** The client's own folder, and the folder on the server below the login folder. */
  readonly folder: string;
  readonly remote: string;
  /** What is left out here because another cell does it, or because the server can't. */
  readonly leaveOut: readonly Operation[];
  /** The staged program with the lab's own client programs. */
  readonly program: string;
}

/** What the client said for each thing it did, and all it said. Whether it worked is read from the files. */
export interface ClientReport {
  readonly outputs: ReadonlyMap<string, string>;
  readonly transcript: string;
}

/** A client program. */
export interface LabClient {
  readonly name: string;
  /** Why it can't work in this mode over this family, or undefined. */
  obstacle(mode: Mode, family: Family): string | undefined;
  /** What it can't do in any mode, and why. */
  readonly cannot: Partial<Record<Operation, string>>;
  perform(task: Task): Promise<ClientReport>;
}

/** What is left to do for this client in this cell. */
export function workOf(client: LabClient, task: Task): readonly Operation[] {
  return operations.filter((name) => client.cannot[name] === undefined && !task.leaveOut.includes(name));
}

/** Whether the mode lets the server connect to the client. */
export function isActive(mode: Mode): boolean {
  return mode === 'active' || mode === 'extended active';
}

/** Whether the mode uses EPSV or EPRT. */
export function isExtended(mode: Mode): boolean {
  return mode === 'extended passive' || mode === 'extended active';
}

/** Splits a transcript at its `@@name` lines. */
export function splitTranscript(transcript: string): ReadonlyMap<string, string> {
  const outputs = new Map<string, string>();
  for (const part of transcript.split(/^@@/m).slice(1)) {
    const end = part.indexOf('\n');
    outputs.set(part.slice(0, end).trim(), part.slice(end + 1));
  }
  return outputs;
}
