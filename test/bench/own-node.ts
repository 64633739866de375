// A Node that nothing but what is measured runs.
import { chmodSync, copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import type { Lab } from '../lab/harness/lab.js';

/**
 * A copy of `node` for the contender `name`, made once a lab. Of a program that others run too, as the benchmark's own process would,
 * a part of the memory counts as theirs; where ftpseal is installed it has a Node of its own.
 */
export function ownNode(lab: Lab, name: string, node = process.execPath): string {
  const copy = path.join(lab.folder, `node-${name}`);
  if (!existsSync(copy)) {
    copyFileSync(node, copy);
    chmodSync(copy, 0o755);
  }
  return copy;
}
