// The log's way to systemd-journald: entries with fields over its own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), one datagram each.
import { fstatSync } from 'node:fs';
import { openDatagramSocket, sendDatagram } from './libc.js';
import { formatMessage } from './log-line.js';
import { visibleLine } from './visible.js';

export type JournalLevel = 'debug' | 'info' | 'warn' | 'error';
export type JournalFields = Readonly<Record<string, string | number | boolean>>;

/** Writes one entry. Never throws and never waits; false if the journal did not take it. */
export type Journal = (level: JournalLevel, message: string, fields: JournalFields) => boolean;

export const JOURNAL_SOCKET = '/run/systemd/journal/socket';

/** syslog(3). */
const priorities: Readonly<Record<JournalLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };
/** Far below what one datagram may have. */
const MAX_FIELDS = 32;
const MAX_VALUE = 4096;

/**
 * The journal, if what this process writes to stderr goes there (JOURNAL_STREAM has its device and inode, systemd.exec(5)); undefined
 * elsewhere: on a terminal, or with stderr in a file.
 */
export function openJournal(
  env: NodeJS.ProcessEnv = process.env,
  socket = JOURNAL_SOCKET,
): Journal | undefined {
  if (process.platform !== 'linux' || !isJournal(env['JOURNAL_STREAM'])) return undefined;
  let fd: number | undefined;
  return (level, message, fields) => {
    try {
      fd ??= openDatagramSocket();
      sendDatagram(fd, journalEntry(level, message, fields), socket);
      return true;
    } catch {
      return false;
    }
  };
}

/** A line for stderr that journald reads with its priority, where the entry itself can't be sent. */
export function prefixedLine(level: JournalLevel, message: string, fields: JournalFields): string {
  return `<${priorities[level]}>${formatMessage(message, fields)}`;
}

/**
 * An entry in the protocol's binary form: every value is preceded by its length, so that nothing in it, a line end included, begins
 * another field. Values are made visible all the same: they are printed on terminals. A field `serverName` is FTPSEAL_SERVER_NAME.
 */
export function journalEntry(level: JournalLevel, message: string, fields: JournalFields): Buffer {
  const own = Object.entries(fields)
    .slice(0, MAX_FIELDS)
    .flatMap(([name, value]) => {
      const field = fieldName(name);
      return field === undefined ? [] : [[field, String(value)] as const];
    });
  const all: readonly (readonly [string, string])[] = [
    ['MESSAGE', formatMessage(message, fields)],
    ['PRIORITY', String(priorities[level])],
    ['SYSLOG_IDENTIFIER', 'ftpseal'],
    ...own,
  ];
  return Buffer.concat(all.flatMap(([name, value]) => part(name, value)));
}

function part(name: string, value: string): readonly Buffer[] {
  const bytes = Buffer.from(visibleLine(value.slice(0, MAX_VALUE)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return [Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')];
}

/** Letters, digits and underscores, at most 64 in all; undefined for a name that has nothing of these. */
function fieldName(name: string): string | undefined {
  const plain = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '');
  return plain === '' ? undefined : `FTPSEAL_${plain}`.slice(0, 64);
}

function isJournal(stream: string | undefined): boolean {
  const [, device, inode] = /^([0-9]+):([0-9]+)$/.exec(stream ?? '') ?? [];
  if (device === undefined || inode === undefined) return false;
  try {
    const { dev, ino } = fstatSync(2, { bigint: true });
    return dev === BigInt(device) && ino === BigInt(inode);
  } catch {
    return false;
  }
}
