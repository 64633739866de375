// The folder keys.d: files in which the administrator gives keys to all users. Reads it once, file by file; what is wrong with one
// is a sentence, and no reason to leave out the others. What the files mean is fixed-keys.ts.
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIpAddress, parsePort } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { isAdministeredFolder, readAdministered, type Administrators } from '../sys/administered.js';
import { printable } from '../sys/redact.js';
import { keyFileSchema, MAX_RECORDS, NO_ADDRESS, type FixedPin, type SecuredRecord } from './pin-record.js';
import { parseGivenKey } from './spki.js';

/** A file for each server of a large company; more is somebody's whole disk. */
const MAX_FILES = 1024;
/** 20 000 keys in their usual form. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** All files together; what comes after that is left out, with a sentence. */
const MAX_BYTES = 32 * 1024 * 1024;

export interface FixedRecords {
  readonly pins: readonly FixedPin[];
  readonly secured: readonly SecuredRecord[];
}

export type FileReading =
  | { readonly kind: 'good'; readonly name: string; readonly records: FixedRecords }
  /** `sentence` begins with the file's name. */
  | { readonly kind: 'bad'; readonly name: string; readonly sentence: string };

export type FolderReading =
  | { readonly kind: 'missing' }
  /** Nothing of it counts; `sentence` says why. */
  | { readonly kind: 'refused'; readonly sentence: string }
  | { readonly kind: 'read'; readonly files: readonly FileReading[] };

/** Reads the folder as it is now. Never rejects. */
export async function readKeysFolder(folder: string, also: Administrators): Promise<FolderReading> {
  try {
    if (!(await isAdministeredFolder(folder, also))) return { kind: 'missing' };
    const names = await fileNames(folder);
    const files: FileReading[] = [];
    const left = { bytes: MAX_BYTES, records: MAX_RECORDS };
    for (const name of names.slice(0, MAX_FILES)) files.push(await readOne(folder, name, also, left));
    const more = names.length - files.length;
    if (more > 0)
      files.push(bad('keys.d', `holds ${more} files more than the ${MAX_FILES} that are read at most`));
    return { kind: 'read', files };
  } catch (error) {
    return { kind: 'refused', sentence: `${reasonOf(error)}; no key in it counts.` };
  }
}

/** Something that is another after each change of the folder or of a file in it. Never rejects. */
export async function stampOf(folder: string): Promise<string> {
  try {
    const paths = [
      folder,
      ...(await fileNames(folder)).slice(0, MAX_FILES).map((name) => join(folder, name)),
    ];
    const stamps = await Promise.all(
      paths.map(async (path) => {
        const { ino, mtimeNs, ctimeNs, size } = await lstat(path, { bigint: true });
        return `${path} ${ino} ${mtimeNs} ${ctimeNs} ${size}`;
      }),
    );
    return stamps.join('\n');
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  }
}

/** What editors and package managers leave, and notes for people, are no key files. */
const notKeys = /^\.|~$|\.(?:dpkg-[a-z]+|rpm(?:new|save|orig)|bak|swp|tmp|txt|md)$|^README/i;

async function fileNames(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => !notKeys.test(name)).sort();
}

async function readOne(
  folder: string,
  name: string,
  also: Administrators,
  left: { bytes: number; records: number },
): Promise<FileReading> {
  try {
    const read = readerFor(name);
    const bytes = await readAdministered(join(folder, name), also, Math.min(MAX_FILE_BYTES, left.bytes));
    const records = read(bytes.toString('utf8'), name);
    left.bytes -= bytes.length;
    left.records -= records.pins.length + records.secured.length;
    if (left.records < 0) return bad(name, `is one too many: ${MAX_RECORDS} records are read at most`);
    return { kind: 'good', name, records };
  } catch (error) {
    return { kind: 'bad', name, sentence: `keys.d/${reasonOf(error)}; it was left out.` };
  }
}

function bad(name: string, why: string): FileReading {
  return { kind: 'bad', name, sentence: `keys.d/${printable(name)} ${why}; it was left out.` };
}

function reasonOf(error: unknown): string {
  return printable(Fault.from(error).userMessage).replace(/\.$/, '');
}

type Reader = (text: string, name: string) => FixedRecords;

function readerFor(name: string): Reader {
  const ending = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  if (ending === 'json') return keyFileRecords;
  if (['pem', 'crt', 'cer', 'pub'].includes(ending)) return singleKey;
  throw new Fault(
    'config',
    `${name} is neither a key file (.json) nor a certificate or key (.pem, .crt, .cer, .pub)`,
  );
}

/**
 * A file of `ftpseal keys export`. Whoever owned its records, here they count for everybody; how often they were used there, and
 * where a person allowed cleartext, is not taken over.
 */
function keyFileRecords(text: string, file: string): FixedRecords {
  const parsed = keyFileSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? '' : `${issue.path.join('.')} ${issue.message}`.trim();
    throw new Fault('config', `${file} is no key file as ftpseal keys export makes it (${where})`);
  }
  const owner = { kind: 'machine' } as const;
  return {
    pins: parsed.data.pins.map((pin) => ({ ...pin, owner, count: 0, lastUsed: undefined, file })),
    secured: parsed.data.secured.map((record) => ({ ...record, owner, claimed: undefined })),
  };
}

/** One certificate, public key or fingerprint; whose it is says the file's name: `ftp.example.com.pem`, `192.0.2.1_2121.crt`. */
function singleKey(text: string, file: string): FixedRecords {
  const place = placeOf(file);
  if (place === undefined)
    throw new Fault(
      'config',
      `${file} is not named after a server, as in ftp.example.com.pem or 192.0.2.1_2121.pem`,
    );
  const { fingerprint, from } = given(text, file);
  const pin: FixedPin = {
    owner: { kind: 'machine' },
    ...place,
    fingerprint,
    mechanism: from === 'SafeTP public key' ? 'X-SafeTP1' : 'TLS',
    firstSeen: 0,
    count: 0,
    revoked: false,
    comment: '',
    file,
  };
  return { pins: [pin], secured: [] };
}

function given(text: string, file: string): ReturnType<typeof parseGivenKey> {
  try {
    return parseGivenKey(text);
  } catch (error) {
    throw new Fault('config', `${file} holds no key that can be read (${Fault.from(error).userMessage})`);
  }
}

function placeOf(file: string): Pick<FixedPin, 'address' | 'port' | 'name'> | undefined {
  const [, host = '', portText = '21'] = /^(.+?)(?:_([0-9]{1,5}))?\.[^.]+$/.exec(file) ?? [];
  const port = parsePort(Number(portText));
  const address = parseIpAddress(host);
  if (port === undefined) return undefined;
  if (address !== undefined) return { address, port };
  const isName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i.test(
    host,
  );
  return isName ? { address: NO_ADDRESS, port, name: host } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
