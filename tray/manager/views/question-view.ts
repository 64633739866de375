// The question page: everything that helps a person to decide, and what they may answer.
import type { QuestionView } from '../../../shared/ipc-messages.js';
import {
  needsTypedName,
  type Concern,
  type EarlierKey,
  type NameSource,
  type ServerIdentity,
} from '../../../shared/trust.js';
import { viewCertificate, type CertificateView } from '../certificate-flaws.js';
import { displayText } from '../display-text.js';
import type { AnswersView, Fact, QuestionPage } from '../wire.js';
import { addressText, count, dayText, keyPicture, pictureTitle, serverTitle } from './words.js';
import type { UserId } from '../../../shared/user-id.js';

export interface QuestionSurroundings {
  readonly now: number;
  readonly userName: (uid: UserId) => string;
  readonly mode: 'redirect' | 'explicit' | undefined;
}

export function questionPage(view: QuestionView, surroundings: QuestionSurroundings): QuestionPage {
  const { question, concern, connection } = view;
  const identity = question.kind === 'key' ? question.identity : undefined;
  const certificate = certificateOf(view, surroundings.now);
  const keyType = identity?.certificate?.keyType;
  return {
    kind: 'question',
    id: view.id,
    ...withClaim(wordsOf(concern, serverTitle(connection)), view),
    facts: [...whoAndWhere(view, surroundings), ...connectionFacts(view)],
    key: identity && keyPicture(identity.fingerprint, pictureTitle(keyType, identity.mechanism)),
    earlier: earlierOf(concern).map((key) => ({
      ...keyPicture(key.fingerprint, 'BEFORE'),
      facts: earlierFacts(key),
    })),
    certificate: certificate.facts,
    flaws: certificate.flaws,
    answers: answersOf(view, certificate.flaws),
    program: displayText(view.program ?? 'The program', 40),
    waiting: view.waiting,
    refused: view.refused,
    deadline: view.deadline,
    now: surroundings.now,
  };
}

/** Whether "trust always" is a possible answer now; the page asks, and so does the handler of the answer. */
export function mayTrustAlways(view: QuestionView, now: number): boolean {
  return answersOf(view, certificateOf(view, now).flaws).always.allowed;
}

function certificateOf({ question, connection }: QuestionView, now: number): CertificateView {
  const summary = question.kind === 'key' ? question.identity.certificate : undefined;
  if (summary === undefined) return { facts: [], flaws: [] };
  return viewCertificate(summary, connection.name, now);
}

type Words = Pick<QuestionPage, 'look' | 'title' | 'sentence' | 'advice'>;

const compare =
  'Compare the fingerprint with the one that the server’s owner published or gave you, by a way other than this connection.';

function wordsOf(concern: Concern, server: string): Words {
  switch (concern.kind) {
    case 'new':
      return concern.revoked.length > 0
        ? {
            look: 'new',
            title: 'Another key after a revoked one',
            sentence: `A key of ${server} was revoked here. Now it shows another one that was never seen.`,
            advice: compare,
          }
        : {
            look: 'new',
            title: 'A new server',
            sentence: `A program wants to log in to ${server}. Its key was never seen here before.`,
            advice: compare,
          };
    case 'vouched':
      return {
        look: 'new',
        title: 'A new server, with a certificate',
        sentence: `A program wants to log in to ${server} for the first time. A certificate authority that this machine trusts vouches for ${displayText(concern.name, 120)}.`,
        advice: compare,
      };
    case 'replicated':
      return {
        look: 'known',
        title: 'A known key at another server',
        sentence: `${server} shows the key that you already trust for ${displayText(concern.of, 120)}.`,
        advice:
          'That is usual for one server with several addresses. If the two have nothing to do with each other, refuse.',
      };
    case 'renewed':
      return {
        look: 'known',
        title: 'A renewed key',
        sentence: `The key of ${server} changed. A certificate authority that this machine trusts vouches for the new one, as it did for the old one.`,
        advice: compare,
      };
    case 'changed':
    case 'cleartext':
    case 'downgraded':
      return warningOf(concern.kind, server);
  }
}

/** An authority's word for a name of which nobody knows whether it was wanted is for the person to weigh. */
function withClaim(words: Words, { concern, question }: QuestionView): Words {
  if (concern.kind !== 'new' || question.kind !== 'key' || question.identity.caValidFor === undefined)
    return words;
  const claim = `A certificate authority vouches for it under the name ${displayText(question.identity.caValidFor, 120)}. Whoever owns a name can have that: is it the server that you wanted?`;
  return { ...words, sentence: `${words.sentence} ${claim}` };
}

function warningOf(kind: 'changed' | 'cleartext' | 'downgraded', server: string): Words {
  switch (kind) {
    case 'changed':
      return {
        look: 'changed',
        title: 'The key of this server changed',
        sentence: `${server} is not showing the key that you trusted. Somebody may be between you and the server and wait for your password. The connection was stopped; nothing was sent.`,
        advice:
          'Ask the server’s owner, by telephone or another way you trust, whether the key was replaced, and compare the new fingerprint. If in doubt, refuse.',
      };
    case 'cleartext':
      return {
        look: 'cleartext',
        title: 'This server does not encrypt',
        sentence: `A program wants to log in to ${server}, which offers no encryption. Everybody on the way can read the password and the files.`,
        advice:
          'Ask the server’s owner for FTPS. Allow it only where the password and the files may be known to others.',
      };
    case 'downgraded':
      return {
        look: 'downgraded',
        title: 'This server no longer encrypts',
        sentence: `${server} was encrypted until now and suddenly offers no encryption. Somebody may be taking it away in order to read your password. The connection was stopped; no password was sent.`,
        advice:
          'Ask the server’s owner whether encryption was switched off on purpose. If you allow it, everybody on the way can read the password and the files.',
      };
  }
}

function whoAndWhere(
  { program, owner, connection }: QuestionView,
  { userName, mode }: QuestionSurroundings,
): readonly Fact[] {
  const by = owner.kind === 'user' ? `, run by ${displayText(userName(owner.uid), 40)}` : '';
  const { name, nameFrom, alsoNamed = [], server } = connection;
  return [
    connection.forwarded === true
      ? { label: 'Device', value: connection.client.address }
      : { label: 'Program', value: `${displayText(program ?? 'Unknown program', 40)}${by}` },
    { label: 'Server', value: name === undefined ? 'Known by its address only' : displayText(name, 200) },
    ...(name === undefined ? [] : [{ label: 'The name comes from', value: nameSource(nameFrom, mode) }]),
    ...(alsoNamed.length === 0
      ? []
      : [{ label: 'Also looked up for this address', value: displayText(alsoNamed.join(', '), 300) }]),
    { label: 'Address', value: addressText(server) },
  ];
}

function nameSource(source: NameSource | undefined, mode: QuestionSurroundings['mode']): string {
  switch (source) {
    case 'client':
      return 'the program, which asked for this name';
    case 'configuration':
      return 'the configuration of this machine';
    case 'resolver':
      return 'a program of this machine, which looked it up and got this address';
    case undefined:
      return nameSource(mode === 'explicit' ? 'client' : 'configuration', mode);
  }
}

function connectionFacts({ question }: QuestionView): readonly Fact[] {
  if (question.kind === 'cleartext')
    return [{ label: 'The server said', value: displayText(question.reason, 300) }];
  const { protocol, cipher, mechanism, caValidFor, brand }: ServerIdentity = question.identity;
  const authority =
    caValidFor === undefined
      ? 'None that this machine trusts'
      : `Vouches for ${displayText(caValidFor, 120)}`;
  return [
    {
      label: 'Encryption',
      value: displayText([protocol || mechanism, cipher].filter((part) => part !== '').join(', '), 120),
    },
    { label: 'Certificate authority', value: authority },
    ...(brand === undefined
      ? []
      : [{ label: 'Calls itself', value: `${displayText(brand, 120)} (anybody can choose such a name)` }]),
  ];
}

function earlierOf(concern: Concern): readonly EarlierKey[] {
  if ('earlier' in concern) return concern.earlier;
  return concern.kind === 'new' ? concern.revoked : [];
}

function earlierFacts({ firstSeen, lastUsed, count: uses, caValidFor }: EarlierKey): readonly Fact[] {
  return [
    { label: 'Trusted since', value: dayText(firstSeen) },
    { label: 'Last used', value: lastUsed === undefined ? 'never' : dayText(lastUsed) },
    { label: 'Used', value: count(uses, 'time') },
    ...(caValidFor === undefined ? [] : [{ label: 'Vouched for', value: displayText(caValidFor, 120) }]),
  ];
}

function answersOf({ question, concern, connection }: QuestionView, flaws: readonly string[]): AnswersView {
  const isKey = question.kind === 'key';
  const typedName = needsTypedName(concern)
    ? displayText(connection.name ?? connection.server.address, 256)
    : '';
  const isPlain = typedName === '';
  const why =
    !isPlain || flaws.length === 0
      ? ''
      : '“Trust always” is off because of what is wrong with the certificate.';
  return {
    always: { allowed: isPlain && flaws.length === 0, label: isKey ? 'Trust always' : 'Allow always', why },
    once: { allowed: isPlain, label: isKey ? 'Trust this time' : 'Allow this time' },
    typedName,
    confirmLabel: isKey ? 'Trust the new key' : 'Go on without encryption',
    paste: isKey,
  };
}
