// What a server answers inside ENC by itself, before any backend hears of it: the verbs of RFC 2228, DIGT and REIN.
import { assertNever } from '../../../shared/assert-never.js';
import { answerBufferSize } from './buffer-size.js';
import type { OpenedLine } from './control-lines.js';
import type { DataLevel } from './header.js';
import { formatDigestReply } from './transcript.js';

/** How data connections are to be protected; `C` is in clear. */
export type ProtLevel = 'C' | DataLevel;

const OWN_VERBS: readonly string[] = [
  'DIGT',
  'PBSZ',
  'PROT',
  'AUTH',
  'ADAT',
  'CCC',
  'ENC',
  'MIC',
  'CONF',
  'REIN',
];

/** Does the mechanism answer this verb (in upper case) itself, inside ENC? */
export function isMechanismVerb(verb: string): boolean {
  return OWN_VERBS.includes(verb);
}

/** The clear reply with which a server ends a session that sent `verb` in clear or something that is not authentic. */
export function violationReply(opened: Exclude<OpenedLine, { kind: 'line' }>, verb: string): string {
  switch (opened.kind) {
    case 'clear':
      return /^(?:MIC|CONF)$/i.test(verb)
        ? '537 This protection level is not supported; the connection is closed.'
        : '533 This session is protected; a command in clear ends it.';
    case 'broken':
      return '535 The protected command could not be verified.';
    default:
      return assertNever(opened);
  }
}

/** The protection of one secured session on the server's side. */
export class ServerCommands {
  readonly #digest: Uint8Array;
  readonly #requirePrivate: boolean;
  #bufferSize: number | undefined;
  #level: ProtLevel = 'C';

  constructor(options: { readonly digest: Uint8Array; readonly requirePrivate: boolean }) {
    this.#digest = options.digest;
    this.#requirePrivate = options.requirePrivate;
  }

  /** The level that holds for a transfer whose command comes now. */
  get level(): ProtLevel {
    return this.#level;
  }

  /** The agreed PBSZ; undefined before, and then the level is C. */
  get bufferSize(): number | undefined {
    return this.#bufferSize;
  }

  /** May a transfer begin with this level? If not it is answered 522. */
  get transferAllowed(): boolean {
    return !this.#requirePrivate || this.#level === 'P';
  }

  /** The reply to a command that is ours, or undefined for one that is not. */
  answer(verb: string, argument: string): string | undefined {
    switch (verb.toUpperCase()) {
      case 'DIGT':
        return formatDigestReply(this.#digest);
      case 'PBSZ':
        return this.#onBufferSize(argument);
      case 'PROT':
        return this.#onLevel(argument);
      case 'AUTH':
      case 'ADAT':
        return '503 This session is protected already.';
      case 'CCC':
        return '534 The control connection stays protected.';
      case 'ENC':
      case 'MIC':
      case 'CONF':
        return '500 A protected command can hold no other one.';
      case 'REIN':
        return '502 REIN is not possible in a protected session.';
      default:
        return undefined;
    }
  }

  #onBufferSize(argument: string): string {
    const answer = answerBufferSize(argument);
    if (answer.kind === 'agreed') this.#bufferSize = answer.size;
    return answer.reply;
  }

  #onLevel(argument: string): string {
    const level = argument.toUpperCase();
    if (this.#bufferSize === undefined) return '503 PBSZ comes before PROT.';
    if (level === 'E') return '536 PROT E is not supported by X-SafeTP1.';
    if (level !== 'C' && level !== 'S' && level !== 'P') return '504 PROT takes C, S or P.';
    if (this.#requirePrivate && level !== 'P') return '522 This server requires PROT P.';
    this.#level = level;
    return `200 Protection level is ${level}.`;
  }
}
