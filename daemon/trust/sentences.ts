// What the person at the FTP program reads in one reply line: what happened, what it means, what to do.
// The core puts the reply code and `ftpseal:` in front.
import type { Concern, Connection, Question, ServerIdentity } from '../../shared/trust.js';
import { formatEndpoint } from '../../shared/endpoint.js';
import type { Verdict } from './verdict.js';

/** The core cuts its reply lines there; and names in them come from outside. */
const maxLength = 300;
/** Two names and two fingerprints have to fit into one line beside the words. */
const maxName = 40;

/** One line of printable ASCII: what a line of FTP may carry whoever made the text. */
export function oneLine(text: string): string {
  const clean = text.replaceAll('’', "'").replace(/[^\x20-\x7e]+/g, '?');
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 3)}...` : clean;
}

/** A server as people know it: its name, or its address; the port only where it is not 21. */
export function serverLabel(connection: Pick<Connection, 'server' | 'name'>): string {
  const { server, name } = connection;
  const shortName = name === undefined || name.length <= maxName ? name : `${name.slice(0, maxName - 3)}...`;
  if (shortName !== undefined) return server.port === 21 ? shortName : `${shortName}:${server.port}`;
  return server.port === 21 ? server.address : formatEndpoint(server);
}

/** The same as something that `ftpseal keys` understands: a name that had to be cut gives way to the address. */
function commandTarget({ server, name }: Connection): string {
  return serverLabel({ server, name: name !== undefined && name.length <= maxName ? name : undefined });
}

/** The sentence for a key that the verdict or a person refuses. */
export function refusedKey(connection: Connection, identity: ServerIdentity, verdict: Verdict): string {
  const server = serverLabel(connection);
  const key = identity.fingerprint;
  switch (verdict.kind) {
    case 'revoked':
      return oneLine(
        `${server} shows the key ${key}, which was revoked here. Nothing was sent to it. Ask the server's owner for the right key.`,
      );
    case 'fixed':
      return oneLine(
        `${server} shows the key ${key}, but the administrator of this machine has fixed another (keys.d). Perhaps an attack; nothing was sent. Tell the administrator.`,
      );
    case 'changed':
      return oneLine(
        `${server} changed its key to ${key}. Perhaps an attack; nothing was sent. If the owner agrees: tray or ftpseal keys add ${commandTarget(connection)} ${key}`,
      );
    case 'new':
      return oneLine(
        `${server} shows a key that is not trusted here: ${key}. To trust it: ftpseal keys add ${commandTarget(connection)} ${key}`,
      );
    case 'known':
    case 'renewed':
    case 'replicated':
    case 'caValid':
      return oneLine(`the key of ${server}, ${key}, was refused. Nothing was sent to it.`);
  }
}

export function answeredNo(connection: Connection, question: Question): string {
  const server = serverLabel(connection);
  const who = connection.forwarded === true ? "the gateway's administrator" : 'you';
  return oneLine(
    question.kind === 'key'
      ? `the key of ${server}, ${question.identity.fingerprint}, was refused by ${who}. Nothing was sent to it.`
      : `${server} offers no encryption, and ${who} refused to go on without. No password was sent.`,
  );
}

export function notAnswered(connection: Connection, question: Question, id: string | undefined): string {
  const server = serverLabel(connection);
  const command = id === undefined ? 'ftpseal prompts' : `ftpseal prompts --answer ${id}`;
  if (connection.forwarded === true) return deviceRefused(server, question, command);
  return oneLine(
    question.kind === 'key'
      ? `${server} presented a key that is not trusted yet, ${question.identity.fingerprint}; answer the question in the tray or with "${command}" and connect again.`
      : `${server} offers no encryption; answer the question in the tray or with "${command}" and connect again.`,
  );
}

/** A device's own user may read this on a display or in its log; who can answer is somebody else. */
function deviceRefused(server: string, question: Question, command: string): string {
  return oneLine(
    question.kind === 'key'
      ? `the gateway does not trust the key of ${server} yet, ${question.identity.fingerprint}. Nothing was sent. Its administrator answers with "${command}".`
      : `${server} offers no encryption. No password was sent. The gateway's administrator answers with "${command}".`,
  );
}

export function tooManyQuestions(connection: Connection): string {
  return oneLine(
    `${serverLabel(connection)} needs an answer, but too many questions are open already; answer some with "ftpseal prompts" and connect again.`,
  );
}

export function downgraded(connection: Connection): string {
  const server = serverLabel(connection);
  return oneLine(
    `${server} was encrypted before and now offers no encryption. This may be an attack; no password was sent. If the owner confirms it, answer in the tray, or: ftpseal keys remove ${commandTarget(connection)}`,
  );
}

/** Nobody's answer would help: the administrator's files say that this server is secure. */
export function downgradedFixed(connection: Connection): string {
  return oneLine(
    `${serverLabel(connection)} offers no encryption, but the administrator of this machine has fixed a key for it (keys.d). This may be an attack; no password was sent. Tell the administrator.`,
  );
}

/** What a person would have been asked, where the administrator has left nothing to people. */
export function notForPeople(connection: Connection, question: Question): string {
  const server = serverLabel(connection);
  return oneLine(
    question.kind === 'key'
      ? `${server} shows the key ${question.identity.fingerprint}, which is not trusted here, and the administrator of this machine decides about keys (users.may_trust). Nothing was sent. Ask the administrator.`
      : `${server} offers no encryption, and the administrator of this machine decides about that (users.may_trust). No password was sent. Ask the administrator.`,
  );
}

export function cleartextRefused(connection: Connection): string {
  return oneLine(
    `${serverLabel(connection)} offers no encryption, and the configuration refuses to go on without (fallback.cleartext). No password was sent.`,
  );
}

/** For the log, `status` and `sessions`. */
export function cleartextWarning(connection: Connection): string {
  return oneLine(
    `not encrypted: ${serverLabel(connection)} offers no encryption; password and files can be read on the way`,
  );
}

/**
 * Why a question about a key is asked; the person reads it above the fingerprint. `vouchedFor` is a name for which an authority vouches,
 * also where that does not settle the matter.
 */
export function whyKeyIsAsked(
  verdict: Verdict,
  { alsoNamed = [] }: Pick<Connection, 'alsoNamed'>,
  vouchedFor: string | undefined,
): string {
  switch (verdict.kind) {
    case 'new':
      if (verdict.replaces.length > 0)
        return 'This server had a key that was revoked; it now shows another one.';
      return vouchedFor === undefined
        ? 'This server is new: its key was never seen here.'
        : whyTheAuthorityIsNotEnough(vouchedFor, alsoNamed);
    case 'replicated':
      return oneLine(
        `This key is already trusted for ${serverLabel({ server: verdict.pin, name: verdict.pin.name })}, not for this server.`,
      );
    case 'renewed':
      return oneLine(
        `The key of this server changed. A certificate authority vouches for the new one for ${verdict.name}, as for the old one.`,
      );
    case 'caValid':
      return oneLine(`This server is new. A certificate authority vouches for its key for ${verdict.name}.`);
    case 'changed':
    case 'fixed':
    case 'revoked':
    case 'known':
      return '';
  }
}

function whyTheAuthorityIsNotEnough(vouchedFor: string, alsoNamed: readonly string[]): string {
  const vouches = `This server is new. A certificate authority vouches for its key for ${vouchedFor}`;
  return oneLine(
    alsoNamed.length > 0
      ? `${vouches}, but the address also belongs to ${alsoNamed.slice(0, 2).join(', ')}. Which of them did you want?`
      : `${vouches}, but it is not known whether that is the server that you wanted.`,
  );
}

/** Why a person is asked about something that was refused at once. */
export function whyRefusedAtOnce(concern: Concern): string {
  return concern.kind === 'downgraded'
    ? 'This server was encrypted before and now offers no encryption. The connection was stopped; no password was sent.'
    : 'The key of this server changed. The connection was stopped; nothing was sent.';
}
