// Whose a process is on Windows: user, session, program, and whether it acts as an administrator. Windows only.
import { callWindows } from './calls.js';
import { MAX_SID_BYTES, sidFromBytes, sidToBytes } from './sid.js';
import { parseSid, type Sid } from '../../../shared/user-id.js';

export interface ProcessOwner {
  readonly pid: number;
  readonly sid: Sid;
  /** Terminal-services session: 0 for services, else one for each user who is logged on. */
  readonly session: number;
  /** Full path of the executable; not to be trusted as proof of anything. */
  readonly image: string | undefined;
  /** Administrators is among the groups that count: not so for an administrator's program that was not elevated. */
  readonly isAdministrator: boolean;
}

const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
const TOKEN_QUERY_AND_DUPLICATE = 0x0008 | 0x0002;
const TOKEN_USER = 1;
const SECURITY_IDENTIFICATION = 1;
const ADMINISTRATORS = 'S-1-5-32-544';
/** The longest path of a program, in UTF-16 units. */
const MAX_PATH_UNITS = 32_768;

/** `undefined` if there is no such process or if this one may not ask about it. */
export function processOwner(pid: number): ProcessOwner | undefined {
  return withProcess(pid, (process) => describe(pid, process));
}

/** The same, if `isMeant` says so while the process is held open: until then its number can't be another's. */
export function processOwnerIf(pid: number, isMeant: () => boolean): ProcessOwner | undefined {
  return withProcess(pid, (process) => {
    const owner = describe(pid, process);
    return isMeant() ? owner : undefined;
  });
}

function withProcess<T>(pid: number, use: (process: number) => T): T | undefined {
  const process = callWindows('OpenProcess', PROCESS_QUERY_LIMITED_INFORMATION, 0, pid);
  if (process === 0) return undefined;
  try {
    return use(process);
  } finally {
    callWindows('CloseHandle', process);
  }
}

function describe(pid: number, process: number): ProcessOwner | undefined {
  const session = Buffer.alloc(4);
  if (callWindows('ProcessIdToSessionId', pid, session) === 0) return undefined;
  const who = withToken(process, (token) => {
    const sid = userOf(token);
    return sid === undefined ? undefined : { sid, isAdministrator: isAdministrator(token) };
  });
  return who === undefined
    ? undefined
    : { pid, session: session.readUInt32LE(), image: imageOf(process), ...who };
}

function withToken<T>(process: number, use: (token: number) => T): T | undefined {
  const handle = Buffer.alloc(8);
  if (callWindows('OpenProcessToken', process, TOKEN_QUERY_AND_DUPLICATE, handle) === 0) return undefined;
  const token = Number(handle.readBigInt64LE());
  try {
    return use(token);
  } finally {
    callWindows('CloseHandle', token);
  }
}

function userOf(token: number): Sid | undefined {
  // TOKEN_USER: a pointer to the SID, its attributes, then the SID itself.
  const information = Buffer.alloc(16 + MAX_SID_BYTES);
  const needed = Buffer.alloc(4);
  const args = [token, TOKEN_USER, information, information.length, needed] as const;
  if (callWindows('GetTokenInformation', ...args) === 0) return undefined;
  const sid = Buffer.alloc(MAX_SID_BYTES);
  if (callWindows('CopySid', sid.length, sid, information.readBigInt64LE(0)) === 0) return undefined;
  return sidFromBytes(sid);
}

function isAdministrator(token: number): boolean {
  const administrators = parseSid(ADMINISTRATORS);
  const handle = Buffer.alloc(8);
  if (administrators === undefined) return false;
  if (callWindows('DuplicateToken', token, SECURITY_IDENTIFICATION, handle) === 0) return false;
  const duplicate = Number(handle.readBigInt64LE());
  try {
    const answer = Buffer.alloc(4);
    const isAnswered =
      callWindows('CheckTokenMembership', duplicate, sidToBytes(administrators), answer) !== 0;
    return isAnswered && answer.readUInt32LE() !== 0;
  } finally {
    callWindows('CloseHandle', duplicate);
  }
}

function imageOf(process: number): string | undefined {
  const name = Buffer.alloc(2 * MAX_PATH_UNITS);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(MAX_PATH_UNITS);
  if (callWindows('QueryFullProcessImageNameW', process, 0, name, size) === 0) return undefined;
  return name.toString('utf16le', 0, 2 * size.readUInt32LE());
}
