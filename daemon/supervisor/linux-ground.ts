// The supervisor on Linux: root, or a user with CAP_NET_ADMIN; the proxy is another user, made so by setpriv(1).
import { SYSTEM_PATH } from '../sys/system-path.js';
import { existsSync } from 'node:fs';
import { isReadOnly, openFolder, prepareFolder } from './folders.js';
import { dropArguments, proxyIdentity, requireAccess, setprivMissing } from './proxy-identity.js';
import { proxyNodeArguments, type ProxyCommand } from './proxy-child.js';
import type { Need, ProxyIdentity } from './proxy-identity.js';
import type { GroundOptions, SupervisorGround } from './supervisor-ground.js';

export async function linuxGround(options: GroundOptions): Promise<SupervisorGround> {
  const identity = await proxyIdentity(options.proxyUser);
  // Everybody may reach the socket, nobody may open the folder: whoever can, can take its lock.
  prepareFolder(options.runtimeDir, 0o711, identity);
  prepareFolder(options.stateDir, 0o700, identity);
  await requireAccess(identity, needs(options));
  const folder = openFolder(options.runtimeDir);
  return {
    proxyUid: identity.uid,
    command: proxyCommand(identity, options, folder),
    lock: async () => {
      const { lockInstance } = await import('./single-instance.js');
      return lockInstance(options.runtimeDir, folder, options.waiting);
    },
  };
}

function proxyCommand(
  identity: ProxyIdentity,
  { main, proxyArguments }: GroundOptions,
  folder: number,
): ProxyCommand {
  return {
    program: 'setpriv',
    argv: [...dropArguments(identity), process.execPath, ...proxyNodeArguments, main, ...proxyArguments],
    cwd: '/',
    env: { PATH: SYSTEM_PATH },
    output: 'inherit',
    // Never used by the proxy: it carries the runtime folder's lock, once this process has taken it, until both have ended.
    inherited: [folder],
    missing: setprivMissing,
  };
}

function needs({ main, configPath, runtimeDir, stateDir }: GroundOptions): readonly Need[] {
  return [
    { file: process.execPath, access: 'search' },
    { file: main, access: 'read' },
    // That there is none is the configuration's matter, and said there.
    ...(configPath !== undefined && existsSync(configPath)
      ? [{ file: configPath, access: 'read' } as const]
      : []),
    { file: runtimeDir, access: 'write' },
    // A disk that fails leaves the machine with a read-only one: known servers are to be secured all the same.
    ...(isReadOnly(stateDir) ? [] : [{ file: stateDir, access: 'write' } as const]),
  ];
}
