// What a machine may withhold even from root, a container's host say: mounting an overlay, and control groups for a system inside.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { Fault } from '../../../shared/fault.js';
import { makeControlGroups, removeControlGroup } from './control-groups.js';

/** Why no root of its own can be mounted here; undefined where it can. */
export function overlayObstacle(): string | undefined {
  const folder = mkdtempSync(path.join('/var/tmp', 'ftpseal-overlay-'));
  const mount = 'mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work merged';
  const shell = ['sh', '-c', `cd "$0" && mkdir low up work merged && ${mount}`, folder];
  const tried = spawnSync('unshare', ['--mount', '--propagation', 'private', '--', ...shell], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true, force: true });
  return tried.status === 0 ? undefined : `no overlay can be mounted here (${tried.stderr.trim()})`;
}

/** Why no systemd can be run in a container here; undefined where it can. */
export async function containerObstacle(): Promise<string | undefined> {
  const overlay = overlayObstacle();
  if (overlay !== undefined) return overlay;
  try {
    for (const group of makeControlGroups()) await removeControlGroup(group);
    return undefined;
  } catch (error) {
    return `no control group can be made here (${Fault.from(error).message})`;
  }
}

/** `test` where nothing is in the way; elsewhere each test is skipped with the reason. */
export function testUnless(
  obstacle: string | undefined,
): (name: string, run: (t: TestContext) => Promise<void>) => void {
  return (name, run) => {
    void test(name, { skip: obstacle ?? false }, run);
  };
}
