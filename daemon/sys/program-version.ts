// The program's own version, from the package.json that is installed beside it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Two folders above the compiled file. */
export function programVersion(): string {
  const file = join(import.meta.dirname, '..', '..', '..', 'package.json');
  const match = /"version": "([^"]+)"/.exec(readFileSync(file, 'utf8'));
  return match?.[1] ?? 'unknown';
}
