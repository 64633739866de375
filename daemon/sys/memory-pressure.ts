// Which process the kernel ends when memory runs out.
import { readFileSync, writeFileSync } from 'node:fs';

const file = '/proc/self/oom_score_adj';

/**
 * Linux: gives up the protection that the service's supervisor has, so that the kernel takes this process first, which can be
 * started anew. To be called before `hardenProcess`, which closes the file. Elsewhere, and where it can't be done, nothing.
 */
export function standBeforeSupervisor(): void {
  if (process.platform !== 'linux') return;
  try {
    if (Number(readFileSync(file, 'utf8')) < 0) writeFileSync(file, '0');
  } catch {
    // Without /proc the kernel chooses by size, and that is this process too.
  }
}
