// What the server proxy does with one command of the client, as a pure function: what it answers itself, and what may pass on
// to the FTP server behind it. The order of the checks is the policy.
import type { Command } from '../../ftp/command-reader.js';
import type { LegProtection } from '../../ftp/effects.js';
import { ownReply } from '../../ftp/sentences.js';
import { KNOWN_VERBS } from '../../ftp/verbs.js';
import { isMechanismVerb } from '../../security/safetp/server-commands.js';
import type { ServePolicy } from './policy.js';
import { sentences } from './sentences.js';

export type Verdict =
  | { readonly kind: 'drop' }
  /** `commits`: from here on this is a conversation in the protection that it has now. */
  | { readonly kind: 'pass'; readonly commits: boolean }
  | { readonly kind: 'answer'; readonly text: string }
  /** AUTH is accepted: say so and begin TLS. */
  | { readonly kind: 'secure'; readonly word: string; readonly text: string }
  /** Inside ENC: X-SafeTP1's own matter. */
  | { readonly kind: 'mechanism' }
  | { readonly kind: 'bufferSize'; readonly text: string }
  | { readonly kind: 'level'; readonly level: LegProtection; readonly text: string };

/** What the gate looks at. */
export interface GateView {
  readonly policy: ServePolicy;
  readonly secured: boolean;
  /** It is X-SafeTP1 that protects. */
  readonly linesSecured: boolean;
  /** A command that is not harmless has passed in clear: RFC 959 it is, for the rest of the connection. */
  readonly committedToClear: boolean;
  readonly level: LegProtection;
  /** PBSZ was agreed. */
  readonly bufferSized: boolean;
}

const LOGIN_VERBS: readonly string[] = ['USER', 'PASS', 'ACCT'];

function answer(code: number, sentence: string): Verdict {
  return { kind: 'answer', text: ownReply(code, sentence) };
}

/** The verdict on the oldest command. */
export function judgeCommand(command: Command, view: GateView): Verdict {
  if (command.raw.toString('latin1').trim() === '') return { kind: 'drop' };
  const { role } = command.info;
  if (!command.clean && isStrict(view)) return answer(500, sentences.unclean());
  if (view.linesSecured && isMechanismVerb(command.verb)) return { kind: 'mechanism' };
  if (role === 'auth') return judgeAuth(command, view);
  if (role === 'protection') return judgeProtection(command, view);
  if (role === 'thirdParty') return answer(502, sentences.thirdParty());
  if (!view.secured) return judgeClear(command, view);
  if (role === 'reinitialise') return answer(502, sentences.reinitialise());
  if (role === 'transfer' && view.level === 'clear' && view.policy.require === 'secure-data')
    return answer(522, sentences.clearTransferRefused());
  if (view.level === 'private' && !KNOWN_VERBS.includes(command.verb))
    return answer(500, sentences.unknownCommand());
  return { kind: 'pass', commits: !command.info.harmless };
}

/** Some servers end a command at a bare CR: a line may hide a second one from us. */
function isStrict({ secured, level, policy }: GateView): boolean {
  return secured ? level === 'private' : policy.require !== 'none';
}

function judgeClear(command: Command, { policy }: GateView): Verdict {
  if (command.info.harmless) return { kind: 'pass', commits: false };
  if (policy.require === 'none') return { kind: 'pass', commits: true };
  return LOGIN_VERBS.includes(command.verb)
    ? answer(530, sentences.loginNeedsProtection(policy.mechanisms[0] ?? 'TLS'))
    : answer(530, sentences.nothingBeforeProtection());
}

function judgeAuth(command: Command, { policy, secured, committedToClear }: GateView): Verdict {
  if (secured) return answer(503, sentences.alreadySecured());
  if (committedToClear) return answer(503, sentences.begunInClear());
  if (command.verb !== 'AUTH' || !command.clean) return answer(503, sentences.noProtectionYet());
  const word = command.argument.trim().toUpperCase();
  if (!policy.words.includes(word))
    return answer(504, sentences.unknownMechanism(policy.mechanisms.join(',')));
  return { kind: 'secure', word, text: ownReply(234, sentences.agreed(word)) };
}

function judgeProtection(command: Command, view: GateView): Verdict {
  if (!view.secured) return answer(503, sentences.noProtectionYet());
  switch (command.verb) {
    case 'PBSZ':
      return /^[0-9]{1,10}$/.test(command.argument.trim())
        ? { kind: 'bufferSize', text: '200 PBSZ=0\r\n' }
        : answer(501, sentences.bufferSize());
    case 'PROT':
      return judgeLevel(command.argument.trim().toUpperCase(), view);
    case 'CCC':
      return answer(534, sentences.noClearChannel());
    default:
      return answer(503, sentences.notHere());
  }
}

function judgeLevel(level: string, view: GateView): Verdict {
  if (!view.bufferSized) return answer(503, sentences.bufferSizeFirst());
  switch (level) {
    case 'P':
      return { kind: 'level', level: 'private', text: ownReply(200, sentences.levelPrivate()) };
    case 'C':
      return view.policy.require === 'secure-data'
        ? answer(534, sentences.clearRefused())
        : { kind: 'level', level: 'clear', text: ownReply(200, sentences.levelClear()) };
    case 'S':
    case 'E':
      return answer(536, sentences.levelRefused());
    default:
      return answer(504, sentences.levelUnknown());
  }
}
