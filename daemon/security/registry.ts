// The mechanisms there are, in order of preference. Adding one is one file and one row here.
import type { MechanismClient } from './mechanism.js';
import { createTlsClient } from './tls.js';

interface MechanismRow {
  /** As in `tls.mechanisms` of the configuration. */
  readonly name: string;
  /** The AUTH words to try without being asked, in order. */
  readonly words: readonly string[];
  /** Words to try only if the server names them in a 504. */
  readonly hinted: readonly string[];
  readonly create: (word: string) => MechanismClient;
}

const ROWS: readonly MechanismRow[] = [
  { name: 'TLS', words: ['TLS', 'SSL'], hinted: ['TLS-P', 'TLS-C'], create: createTlsClient },
];

/** Attempts that policy allows, best first. Unknown names in the policy are skipped: the configuration has warned of them. */
export function mechanismAttempts(allowed: readonly string[]): readonly MechanismClient[] {
  return ROWS.filter((row) => isAllowed(row, allowed)).flatMap((row) =>
    row.words.map((word) => row.create(word)),
  );
}

/** Attempts for names that a server gave as hints; a hint never brings in what policy does not allow. */
export function hintedAttempts(
  allowed: readonly string[],
  hints: readonly string[],
): readonly MechanismClient[] {
  return ROWS.filter((row) => isAllowed(row, allowed)).flatMap((row) =>
    row.hinted.filter((word) => hints.includes(word)).map((word) => row.create(word)),
  );
}

function isAllowed(row: MechanismRow, allowed: readonly string[]): boolean {
  return allowed.some((name) => name.toUpperCase() === row.name.toUpperCase());
}
