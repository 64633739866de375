// What to do with one command of the client, as a pure function of the session's state. The order of the
// checks is the policy: nothing that is not harmless gets past `negotiate` before the connection is secured or clear was allowed.
import { familyOf, type Endpoint } from '../../shared/endpoint.js';
import { parseEprtArgument, parseLprtArgument, parsePortArgument, type AddressRead } from './addresses.js';
import type { Command } from './command-reader.js';
import { OUTSTANDING_MAX } from './limits.js';
import type { Exchange } from './pairing.js';
import type { ProtectionState } from './protection.js';
import { ownReply, sentences } from './sentences.js';
import { isOwnDataPort, type ClientSide } from './channel.js';

export type Route =
  /** Not now; ask again when something was answered. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'send'; readonly exchange: Exchange }
  /** Answer without asking the server. */
  | { readonly kind: 'answer'; readonly text: string }
  /** Secure the connection first; the command stays held. */
  | { readonly kind: 'negotiate' }
  /** The client negotiates itself. */
  | { readonly kind: 'clientAuth' }
  /** The client gave its own negotiation up; the command is to be routed anew. */
  | { readonly kind: 'leaveAuth' }
  /** Find out first whether an ABOR will get a reply of its own; the command stays held. */
  | { readonly kind: 'fence' }
  /** PBSZ and PROT have to be settled first; the command stays held. */
  | { readonly kind: 'protect' }
  | { readonly kind: 'setUp'; readonly client: ClientSide; readonly text: string }
  | { readonly kind: 'transfer' }
  /** A login in a session that was allowed to go on in clear only for an anonymous one. */
  | { readonly kind: 'judgeClear' };

/** What the routing looks at. */
export interface RouteView {
  readonly phase: 'plain' | 'clientAuth' | 'secured' | 'cleartext';
  readonly idle: boolean;
  /** Only an ABOR is outstanding, and perhaps not even that. */
  readonly inDoubt: boolean;
  readonly pipelinable: boolean;
  readonly transferring: boolean;
  readonly settingUp: boolean;
  readonly holding: boolean;
  readonly outstanding: number;
  /** Data connections go past the proxy: their commands are like any other. */
  readonly direct: boolean;
  readonly protection: ProtectionState;
  readonly epsvAll: boolean;
  /** Clear was allowed for an anonymous login only. */
  readonly anonymousOnly: boolean;
  readonly client: Endpoint;
  readonly label: string;
}

const WAIT: Route = { kind: 'wait' };

/** The route of the oldest held command. */
export function routeCommand(command: Command, view: RouteView): Route {
  if (command.raw.toString('latin1').trim() === '') return { kind: 'drop' };
  if (view.outstanding >= OUTSTANDING_MAX) return WAIT;
  if (view.phase === 'clientAuth') return routeInClientAuth(command, view);
  if (view.phase === 'plain') return routeInClear(command, view);
  return routeOpen(command, view);
}

function relayed(command: Command): Route {
  const { verb, argument, info } = command;
  return { kind: 'send', exchange: { kind: 'relay', verb, argument, outOfBand: info.outOfBand } };
}

/** Between the client's AUTH and the end of its negotiation come ADATs, one at a time; anything else gives it up. */
function routeInClientAuth(command: Command, view: RouteView): Route {
  if (!view.idle) return WAIT;
  return command.verb === 'ADAT' && command.clean
    ? { kind: 'send', exchange: { kind: 'clientAuth' } }
    : { kind: 'leaveAuth' };
}

function routeInClear(command: Command, view: RouteView): Route {
  if (command.info.harmless && command.clean) return view.pipelinable ? relayed(command) : WAIT;
  if (!view.idle) return WAIT;
  return command.verb === 'AUTH' && command.clean ? { kind: 'clientAuth' } : { kind: 'negotiate' };
}

/** Secured, or clear by policy. */
function routeOpen(command: Command, view: RouteView): Route {
  const { role, outOfBand } = command.info;
  if (view.anonymousOnly && mayLogIn(command)) return view.idle ? { kind: 'judgeClear' } : WAIT;
  if (view.settingUp) return WAIT;
  if (view.transferring) return outOfBand ? routeOutOfBand(command) : WAIT;
  if (view.inDoubt) return { kind: 'fence' };
  if (role === 'simple' || role === 'quit') return view.pipelinable ? routeSimple(command, view) : WAIT;
  if (!view.idle) return WAIT;
  if (role === 'abort') return routeOutOfBand(command);
  if (view.holding) return WAIT;
  switch (role) {
    case 'passive':
    case 'active':
    case 'transfer':
      return routeData(command, view);
    case 'auth':
      return routeAuth(command, view);
    case 'protection':
      return view.phase === 'secured'
        ? { kind: 'answer', text: answerToProtection(command) }
        : relayed(command);
    case 'thirdParty':
      if (view.phase === 'cleartext') return relayed(command);
      return { kind: 'answer', text: ownReply(502, sentences.thirdParty()) };
    case 'reinitialise':
      return { kind: 'send', exchange: { kind: 'reinitialise' } };
  }
}

function routeOutOfBand(command: Command): Route {
  return command.info.role === 'abort' ? { kind: 'send', exchange: { kind: 'abort' } } : relayed(command);
}

function routeSimple(command: Command, view: RouteView): Route {
  if (command.verb === 'MODE' && /^[BC]/i.test(command.argument.trim()) && !view.direct) {
    // Block and compressed mode keep the data connection open after the file, so its end could not be authenticated.
    const text = ownReply(504, sentences.modeRefused(command.argument.trim().charAt(0).toUpperCase()));
    return view.idle && !view.holding ? { kind: 'answer', text } : WAIT;
  }
  return relayed(command);
}

/** Another login than an anonymous one, or a line that may hide one. */
function mayLogIn(command: Command): boolean {
  return !command.clean || (command.verb === 'USER' && !isAnonymous(command));
}

/** A login that carries no password worth protecting. */
export function isAnonymous(command: Command): boolean {
  return command.verb === 'USER' && /^(?:anonymous|ftp)$/i.test(command.argument.trim());
}

function routeAuth(command: Command, view: RouteView): Route {
  if (view.phase === 'secured') return { kind: 'answer', text: ownReply(503, sentences.alreadySecured()) };
  return command.verb === 'AUTH' ? { kind: 'clientAuth' } : relayed(command);
}

/** Our own protection towards the server is not the client's to change. */
function answerToProtection(command: Command): string {
  switch (command.verb) {
    case 'PBSZ':
      return '200 PBSZ=0\r\n';
    case 'PROT':
      return /^C$/i.test(command.argument.trim())
        ? '200 Protection level set to Clear on your side.\r\n'
        : ownReply(536, sentences.clientProtection());
    case 'CCC':
      return ownReply(534, sentences.noClearChannel());
    default:
      return ownReply(503, sentences.alreadySecured());
  }
}

function routeData(command: Command, view: RouteView): Route {
  if (view.direct) return command.info.role === 'transfer' ? { kind: 'transfer' } : relayed(command);
  if (view.protection === 'unknown' || view.protection === 'asked') return { kind: 'protect' };
  if (view.protection === 'refused') return answer(522, sentences.dataRefused(view.label));
  if (command.info.role === 'transfer') return { kind: 'transfer' };
  return command.info.role === 'passive' ? routePassive(command, view) : routeActive(command, view);
}

function answer(code: number, sentence: string): Route {
  return { kind: 'answer', text: ownReply(code, sentence) };
}

function routePassive(command: Command, view: RouteView): Route {
  // The client connects to its own side: with the explicit proxy the server may be of the other family.
  const family = familyOf(view.client.address);
  const argument = command.argument.trim().toUpperCase();
  if (command.verb === 'EPSV') {
    if (argument === 'ALL') return relayed(command);
    if (argument !== '' && argument !== (family === 4 ? '1' : '2')) {
      return answer(522, sentences.wrongFamily(family === 4 ? 1 : 2));
    }
    return { kind: 'setUp', client: { kind: 'passive', form: 'EPSV' }, text: '' };
  }
  if (view.epsvAll) return answer(503, sentences.epsvAll());
  if (command.verb === 'PASV' && family === 6) return answer(522, sentences.wrongFamily(2));
  return {
    kind: 'setUp',
    client: { kind: 'passive', form: command.verb === 'PASV' ? 'PASV' : 'LPSV' },
    text: '',
  };
}

function routeActive(command: Command, view: RouteView): Route {
  if (view.epsvAll) return answer(503, sentences.epsvAll());
  const read = readAddress(command);
  const family = familyOf(view.client.address);
  if (read.kind === 'family') return answer(522, sentences.wrongFamily(family === 4 ? 1 : 2));
  if (read.kind === 'malformed') return answer(501, sentences.malformed());
  if (familyOf(read.endpoint.address) !== family)
    return answer(522, sentences.wrongFamily(family === 4 ? 1 : 2));
  if (!isOwnDataPort(view.client, read.endpoint)) return answer(504, sentences.foreignPort());
  return {
    kind: 'setUp',
    client: { kind: 'active', to: read.endpoint },
    text: `200 ${command.verb} command successful.`,
  };
}

function readAddress(command: Command): AddressRead {
  if (command.verb === 'PORT') return parsePortArgument(command.argument);
  return command.verb === 'EPRT' ? parseEprtArgument(command.argument) : parseLprtArgument(command.argument);
}
