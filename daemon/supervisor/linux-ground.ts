// The supervisor on Linux: root, or a user with CAP_NET_ADMIN; the proxy is another user, made so by setpriv(1).
import { SYSTEM_PATH } from '../sys/system-path.js';
import { isReadOnly, prepareFolder } from './folders.js';
import { dropArguments, proxyIdentity, requireAccess, setprivMissing } from './proxy-identity.js';
import { lockInstance } from './single-instance.js';
import type { ProxyIdentity } from './proxy-identity.js';
import type { GroundOptions, Locked, SupervisorGround } from './supervisor-ground.js';

export async function linuxGround(options: GroundOptions): Promise<SupervisorGround> {
  const identity = await proxyIdentity(options.proxyUser);
  // Everybody may reach the socket, nobody may open the folder: whoever can, can take its lock.
  prepareFolder(options.runtimeDir, 0o711, identity);
  prepareFolder(options.stateDir, 0o700, identity);
  await requireReadableProgram(identity, options);
  return { proxyUid: identity.uid, lock: () => lock(identity, options) };
}

async function lock(identity: ProxyIdentity, options: GroundOptions): Promise<Locked> {
  const { main, proxyArguments } = options;
  const held = await lockInstance(options.runtimeDir, options.waiting);
  const command = {
    program: 'setpriv',
    argv: [...dropArguments(identity), process.execPath, main, ...proxyArguments],
    cwd: '/',
    env: { PATH: SYSTEM_PATH },
    output: 'inherit',
    // Never used by the proxy: it carries the runtime folder's lock until both have ended.
    inherited: [held.folderDescriptor],
    missing: setprivMissing,
  } as const;
  const release = (): void => {
    held.release();
  };
  return { command, release };
}

async function requireReadableProgram(
  identity: ProxyIdentity,
  { main, configPath, runtimeDir, stateDir }: GroundOptions,
): Promise<void> {
  await requireAccess(identity, process.execPath, 'search');
  await requireAccess(identity, main, 'read');
  if (configPath !== undefined) await requireAccess(identity, configPath, 'read');
  await requireAccess(identity, runtimeDir, 'write');
  // A disk that fails leaves the machine with a read-only one: known servers are to be secured all the same.
  if (!isReadOnly(stateDir)) await requireAccess(identity, stateDir, 'write');
}
