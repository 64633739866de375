// The control groups in which a system inside a container runs.
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { waitFor } from '../harness/command.js';

/** systemd wants a tree of groups of its own, in the hierarchies that it uses here. */
export function makeControlGroups(): readonly string[] {
  const base = '/sys/fs/cgroup';
  const isUnified = existsSync(`${base}/cgroup.controllers`);
  const trees = isUnified
    ? [base]
    : [`${base}/systemd`, `${base}/unified`].filter((tree) => existsSync(tree));
  return trees.map((tree) => {
    const group = path.join(tree, `ftpseal-lab-${process.pid}`);
    mkdirSync(group, { recursive: true });
    return group;
  });
}

/** The kernel takes a moment to empty a group whose processes were killed. */
export async function removeControlGroup(group: string): Promise<void> {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) await removeControlGroup(path.join(group, entry.name));
  await waitFor(`the end of all in ${group}`, () => isRemoved(group));
}

function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return !existsSync(group);
  }
}
