// What the model's clients, servers and networks can do: few words, but one for each kind that the core tells apart.
import type { Event } from '../../daemon/ftp/events.js';
import { TRANSFER_SUCCESS } from './monitor.js';
import { OPENED, SAFETP_WORDS } from './stand-in-safetp.js';

/** What a program says. */
export const PROGRAM_LINES: readonly string[] = [
  'USER bob',
  'PASS secret',
  'PASV',
  'EPSV',
  'PORT 192,0,2,100,195,80',
  'RETR f',
  'STOR f',
  'ABOR',
  'NOOP',
  'STAT',
  'PWD',
  'QUIT',
  'REIN',
  'PROT C',
  'USER anonymous',
];

/** And what it says only to make trouble, or seldom. */
export const ODD_LINES: readonly string[] = [
  'AUTH TLS',
  'AUTH GSSAPI',
  'ADAT AAAA',
  'CCC',
  'FEAT',
  'MODE B',
  'EPSV ALL',
  'NOOP x\rPASS secret',
  '\xff\xf4\xff\xf2ABOR',
  'GET / HTTP/1.0',
];

/** Client bytes that are no line. */
export const ODD_BYTES: readonly string[] = ['\x16\x03\x01', '\x16\x03\x01\x00\x05\x01', 'PA', '\r\n'];

/** Anything a hostile or confused server may say, asked or not. */
export const SERVER_WORDS: readonly string[] = [
  '120 wait',
  '150 go',
  '200 ok',
  '211-a\r\n211 b',
  '220 hi',
  '221 bye',
  '225 aborted',
  TRANSFER_SUCCESS,
  '227 (192,0,2,1,15,160)',
  '227 (192,0,2,1,0,22)',
  '229 (|||4000|)',
  '230 in',
  '234 go',
  '235 done',
  '331 password',
  '334 go on',
  '335 more',
  '421 bye',
  '425 no',
  '426 cut',
  '502 no',
  '504 LIST=TLS-P',
  '530 no',
  '550 no',
  '226-open',
  'nonsense',
  '234 go\r\n230 in',
];

/** What it says besides to a client that knows X-SafeTP1. */
export const SAFETP_SERVER_WORDS: readonly string[] = [
  SAFETP_WORDS.key,
  SAFETP_WORDS.exchange,
  `${SAFETP_WORDS.key}\r\n${SAFETP_WORDS.exchange}`,
  `${SAFETP_WORDS.agreed}\r\n230 in`,
];

/** What it says once lines are protected: the same and a little more, each line in its cover; and something without. */
export const SEALED_SERVER_WORDS: readonly string[] = [
  ...[...SERVER_WORDS, SAFETP_WORDS.digest, '211 DIGT=other', '200 PBSZ=99999', '538 no PBSZmin=65536'].map(
    sealedReply,
  ),
  TRANSFER_SUCCESS,
];

/** A reply of any number of lines as it crosses the wire under protection. */
export function sealedReply(reply: string): string {
  return reply.replaceAll(/^|(?<=\r\n)/g, OPENED);
}

/** Server bytes that are no line. */
export const SERVER_BYTES: readonly string[] = ['22', '\x16\x03\x03'];

const REPLIES: Readonly<Record<string, readonly string[]>> = {
  GREETING: ['220 hi', '421 no', '230 in'],
  AUTH: ['234 go', '502 no', '504 LIST=TLS-P', '120 x'],
  'AUTH X-SafeTP1': [SAFETP_WORDS.key, '504 LIST=TLS-P'],
  'ADAT key': [SAFETP_WORDS.exchange],
  'ADAT proof': [SAFETP_WORDS.agreed],
  DIGT: [SAFETP_WORDS.digest],
  USER: ['331 password', '230 in', '530 no'],
  PASS: ['230 in', '530 no'],
  PBSZ: ['200 ok', '503 no'],
  PROT: ['200 ok', '534 no'],
  PASV: ['227 (192,0,2,1,15,160)', '500 no', '227 bad', '530 no'],
  EPSV: ['229 (|||4000|)', '500 no', '425 no'],
  PORT: ['200 ok', '500 no'],
  NOOP: ['200 ok', '500 no'],
  STAT: ['211-a\r\n211 b', '500 no'],
  QUIT: ['221 bye'],
  ABOR: ['226 aborted', '225 idle', '500 no'],
  REIN: ['220 ready', '502 no'],
  RETR: ['150 go', `150 go\r\n${TRANSFER_SUCCESS}`, TRANSFER_SUCCESS, '550 no'],
  STOR: ['150 go', `150 go\r\n${TRANSFER_SUCCESS}`, '550 no'],
};
const FINAL: readonly string[] = [TRANSFER_SUCCESS, '426 cut'];
/** What may come before a transfer's end, so that it can be told from that. */
const OVERTAKING: Readonly<Record<string, string>> = {
  NOOP: '200 ok',
  STAT: '211-a\r\n211 b',
  QUIT: '221 bye',
  ABOR: '225 aborting',
};

/** What a server that follows the rules may answer to a verb; the first one leads on. */
export function repliesTo(verb: string): readonly string[] {
  if (verb.endsWith(' FINAL')) return FINAL;
  return REPLIES[verb] ?? ['200 ok', '500 no'];
}

/** A reply that may come before the answers to older commands, once a transfer has begun. */
export function overtakingReply(verb: string): string | undefined {
  return OVERTAKING[verb];
}

export function clientSays(text: string): Event {
  return { kind: 'clientBytes', bytes: Buffer.from(text, 'latin1') };
}

export function serverSays(text: string): Event {
  return { kind: 'serverBytes', bytes: Buffer.from(text, 'latin1') };
}
