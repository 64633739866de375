// The only maker of loggable text out of FTP lines: no secret argument, no control character, bounded length.
import { verbInfo } from '../ftp/verbs.js';

const maxLength = 200;

/** Words after SITE with which servers change passwords. */
const secretSite = /PASS|PSWD|PWD|CPW/;

/** A client's command as it may be logged: `PASS ****`, `RETR file`. What is no verb shows nothing of itself. */
export function loggableCommand(line: Uint8Array | string): string {
  // Telnet sequences before a verb are dropped, in whatever encoding the line came, so that they can't hide a PASS.
  const text = toText(line).replace(/^[^A-Za-z]+/, '');
  const [, verb = '', rest = ''] = /^([A-Za-z]{1,8})(?:[ \t]+([^]*))?$/.exec(text) ?? [];
  const upper = verb.toUpperCase();
  if (upper === '') return '(not a command)';
  if (rest === '') return upper;
  const isSecret = verbInfo(upper).secret || (upper === 'SITE' && secretSite.test(rest.toUpperCase()));
  return isSecret ? `${upper} ****` : `${upper} ${printable(rest)}`;
}

/** A server's reply as it may be logged: code and text of one line. */
export function loggableReply(line: Uint8Array | string): string {
  return printable(toText(line));
}

/** Any outside text as it may be logged. Not for FTP commands: it does not know what is secret. */
export function printable(text: string): string {
  const clean = text.replace(/[\r\n]+$/, '').replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?');
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}

function toText(line: Uint8Array | string): string {
  const text = typeof line === 'string' ? line : Buffer.from(line).toString('latin1');
  // One line: what follows a line end is another command, with secrets of its own.
  return text.split(/[\r\n\0]/, 1)[0] ?? '';
}
