// The supervisor on Windows: the service, or an administrator's console. The proxy is a process of its own, of the same account but
// without privileges (docs/windows.md says why, and what that is worth).
import { lstatSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '../../shared/fault.js';
import { programData } from '../sys/usual-places.js';
import { KEYS_FOLDER } from '../trust/keys-folder-name.js';
import { STOP_GRACE_MS } from '../privops.js';
import { ownUser } from '../sys/own-user.js';
import { hold, type HeldFile } from '../sys/windows/exclusive-file.js';
import { fileOwner, setFileRights, type Trustee } from '../sys/windows/file-security.js';
import { processOwner } from '../sys/windows/process-owner.js';
import { proxyNodeArguments, type ProxyCommand } from './proxy-child.js';
import type { GroundOptions, SupervisorGround } from './supervisor-ground.js';

/** How long one that is being stopped may take. */
const PREDECESSOR_MS = STOP_GRACE_MS + 3000;

/** Rejects with a Fault of code `not-permitted` for who is no administrator, `config` for a folder that is somebody else's. */
export async function windowsGround(options: GroundOptions): Promise<SupervisorGround> {
  const self = processOwner(process.pid);
  if (self === undefined || !(self.isAdministrator || self.sid === 'S-1-5-18')) {
    throw new Fault(
      'not-permitted',
      'Securing the connections of this machine is the service’s work, and an administrator’s. Yours alone can be secured with: ftpseal proxy',
    );
  }
  const keepers: readonly Trustee[] = ['SY', 'BA', self.sid];
  prepareFolder(programData(), keepers, ['BU']);
  // Where an administrator's roll-out puts keys for everybody; whoever else could write there could have anything trusted.
  prepareFolder(join(programData(), KEYS_FOLDER), keepers, ['BU']);
  // Callers find the daemon through it; what is in it has rights of its own.
  prepareFolder(options.runtimeDir, keepers, ['BU']);
  prepareFolder(options.stateDir, keepers, []);
  return Promise.resolve({
    proxyUid: self.sid,
    command: proxyCommand(options),
    lock: () => lock(options),
  });
}

/** Makes the folder, or takes over one that administrators made; anybody may make folders in ProgramData. */
function prepareFolder(folder: string, full: readonly Trustee[], read: readonly Trustee[]): void {
  mkdirSync(dirname(folder), { recursive: true });
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    requireOwn(folder);
  }
  setFileRights(folder, { full, read, inherit: 'inherit' });
}

function requireOwn(folder: string): void {
  const status = lstatSync(folder);
  const owner = fileOwner(folder);
  const isOurs = owner === 'SY' || owner === 'BA' || owner === 'S-1-5-18' || owner === 'S-1-5-32-544';
  if (status.isDirectory() && !status.isSymbolicLink() && (isOurs || owner === ownUser())) return;
  throw new Fault(
    'config',
    `${folder} was made by another user, who could change what ftpseal keeps there. Remove it as an administrator.`,
  );
}

async function lock(options: GroundOptions): Promise<() => void> {
  // The driver's filter is one for the machine, wherever a daemon keeps its files.
  const files = [join(programData(), 'daemon.lock'), join(options.runtimeDir, 'daemon.lock')];
  const held: HeldFile[] = [];
  const release = (): void => {
    for (const one of held.splice(0)) one.release();
  };
  for (const file of new Set(files)) {
    const one = await hold(file, PREDECESSOR_MS, options.waiting);
    if (one !== undefined) held.push(one);
    else {
      release();
      throw new Fault('usage', 'Another ftpseal daemon runs on this machine already; stop it first.');
    }
  }
  return release;
}

function proxyCommand({ main, proxyArguments }: GroundOptions): ProxyCommand {
  const root = process.env['SystemRoot'] ?? 'C:\\Windows';
  return {
    program: process.execPath,
    argv: [...proxyNodeArguments, main, ...proxyArguments],
    // No folder that somebody could put a library into.
    cwd: join(root, 'System32'),
    env: {
      PATH: join(root, 'System32'),
      SystemRoot: root,
    },
    output: process.stderr.isTTY ? 'inherit' : 'ignore',
    inherited: [],
    missing: (cause: Error) => new Fault('internal', 'The proxy process can’t be started.', cause),
  };
}
