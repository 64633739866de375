// A question of trust as text for a terminal.
import { groupFingerprint, parseFingerprint } from '../../shared/fingerprint.js';
import type { QuestionView } from '../../shared/ipc-messages.js';
import type { CertificateSummary, Concern } from '../../shared/trust.js';
import { printable } from '../sys/redact.js';
import { serverLabel } from '../trust/sentences.js';
import type { UserId } from '../../shared/user-id.js';

/** Several lines: who wants to go where, why this is asked, and everything that helps to decide. */
export function formatQuestion(view: QuestionView, userName: (uid: UserId) => string): string {
  const { question, connection, program, owner, waiting } = view;
  const who = owner.kind === 'user' ? `, run by ${userName(owner.uid)}` : '';
  const rows: readonly (readonly [string, string])[] = [
    ['Question', view.id],
    connection.forwarded === true
      ? ['Device', connection.client.address]
      : ['Program', program === undefined ? `unknown${who}` : `${program}${who}`],
    ['Server', serverText(view)],
    ...nameRows(view),
    ...(question.kind === 'key'
      ? [
          ['Key', keyText(question.identity.fingerprint)] as const,
          ['Connection', `${question.identity.protocol}, ${question.identity.cipher}`] as const,
          ...brandRows(question.identity.brand),
          ...earlierRows(view.concern),
          ...certificateRows(question.identity.certificate),
        ]
      : [['Server said', question.reason] as const]),
    [
      'Waiting',
      waiting === 0 ? 'nobody any more; the answer counts for the next try' : `${waiting} session(s)`,
    ],
  ];
  const lines = rows.map(([name, text]) => `  ${name.padEnd(12)} ${printable(text)}`);
  return [`${view.why} (${printable(serverLabel(connection))})`, ...lines].join('\n');
}

function serverText({ connection }: QuestionView): string {
  const { server, name } = connection;
  const at = `${server.address} port ${server.port}`;
  return name === undefined ? at : `${name} (${at})`;
}

/** A name that was only looked up is less than one that the program or the administrator gave. */
function nameRows({ connection }: QuestionView): readonly (readonly [string, string])[] {
  const { nameFrom, alsoNamed = [] } = connection;
  return [
    ...(nameFrom === 'resolver' ? [['  name', 'looked up on this machine'] as const] : []),
    ...(alsoNamed.length > 0
      ? [['  also', `looked up for this address: ${alsoNamed.join(', ')}`] as const]
      : []),
  ];
}

function keyText(fingerprint: string): string {
  const parsed = parseFingerprint(fingerprint);
  return parsed === undefined ? fingerprint : groupFingerprint(parsed);
}

/** The brand is signed by the key, and so no proof of anything about it. */
function brandRows(brand: string | undefined): readonly (readonly [string, string])[] {
  return brand === undefined ? [] : [['Calls itself', `${brand} (anybody can choose such a name)`]];
}

function earlierRows(concern: Concern): readonly (readonly [string, string])[] {
  if (!('earlier' in concern)) return [];
  return concern.earlier.map(({ fingerprint, firstSeen, count }) => [
    'Before',
    `${keyText(fingerprint)}, since ${new Date(firstSeen).toISOString().slice(0, 10)}, used ${count} times`,
  ]);
}

function certificateRows(
  certificate: CertificateSummary | undefined,
): readonly (readonly [string, string])[] {
  if (certificate === undefined) return [];
  const { subject, issuer, names, validFrom, validTo, keyType } = certificate;
  return [
    ['Certificate', oneLine(subject)],
    ...(names.length > 0 ? [['  names', names.slice(0, 8).join(', ')] as const] : []),
    ['  issuer', subject === issuer ? 'itself (self-signed)' : oneLine(issuer)],
    ['  valid', `${validFrom} to ${validTo}`],
    ['  key type', keyType],
  ];
}

function oneLine(text: string): string {
  return text.replace(/\n/g, ', ');
}
