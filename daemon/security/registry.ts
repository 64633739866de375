// The mechanisms there are, in order of preference. Adding one is one file and one row here.
import type { MechanismClient, MechanismContext } from './mechanism.js';
import { SAFETP_NAME } from './safetp-name.js';
import { createSafetpClient } from './safetp.js';
import { createTlsClient } from './tls.js';

interface MechanismRow {
  /** As in `tls.mechanisms` of the configuration. */
  readonly name: string;
  /** The AUTH words to try without being asked, in order. */
  readonly words: readonly string[];
  /** Words to try only if the server names them in a 504. */
  readonly hinted: readonly string[];
  /** Undefined where the connection does not allow it. */
  readonly create: (word: string, context: MechanismContext | undefined) => MechanismClient | undefined;
}

const ROWS: readonly MechanismRow[] = [
  { name: 'TLS', words: ['TLS', 'SSL'], hinted: ['TLS-P', 'TLS-C'], create: createTlsClient },
  {
    name: SAFETP_NAME,
    words: [SAFETP_NAME],
    hinted: [],
    create: (_, context) => (context === undefined ? undefined : createSafetpClient(context)),
  },
];

/**
 * Attempts that policy allows, best first. Unknown names in the policy are skipped: the configuration has warned of them. Without a
 * context there are those only that need to know nothing of the connection.
 */
export function mechanismAttempts(
  allowed: readonly string[],
  context?: MechanismContext,
): readonly MechanismClient[] {
  return ROWS.filter((row) => isAllowed(row, allowed)).flatMap((row) => attempts(row, row.words, context));
}

/** Attempts for names that a server gave as hints; a hint never brings in what policy does not allow. */
export function hintedAttempts(
  allowed: readonly string[],
  hints: readonly string[],
  context?: MechanismContext,
): readonly MechanismClient[] {
  return ROWS.filter((row) => isAllowed(row, allowed)).flatMap((row) =>
    attempts(
      row,
      row.hinted.filter((word) => hints.includes(word)),
      context,
    ),
  );
}

/** The allowed ones without those that only a server that has nothing better gets. */
export function strongMechanisms(allowed: readonly string[]): readonly string[] {
  return allowed.filter((name) => name.toUpperCase() !== SAFETP_NAME.toUpperCase());
}

/** May this policy lead to a mechanism whose context has to be kept from the first line on? */
export function needsTranscript(allowed: readonly string[]): boolean {
  return ROWS.some((row) => row.name === SAFETP_NAME && isAllowed(row, allowed));
}

function attempts(
  row: MechanismRow,
  words: readonly string[],
  context: MechanismContext | undefined,
): readonly MechanismClient[] {
  return words.flatMap((word) => row.create(word, context) ?? []);
}

function isAllowed(row: MechanismRow, allowed: readonly string[]): boolean {
  return allowed.some((name) => name.toUpperCase() === row.name.toUpperCase());
}
