// ProFTPD with mod_proxy as a forward proxy that speaks TLS to the server. Set up to be as fast as it can: no log, no
// look-ups, no artificial delay at login, TLS sessions cached in its own database as is its default.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unpacked, withLibraries, type LabServer } from '../../lab/harness/server.js';
import { login } from '../../lab/harness/account.js';
import type { Contender, Proxy } from '../ftp/contender.js';
import { isListening } from '../ftp/listening.js';
import { startProxy } from '../ftp/restartable.js';

const root = unpacked('proftpd-proxy');
const program = path.join(root, 'usr/sbin/proftpd');

/** Whether the packages have been unpacked. */
export function hasModProxy(): boolean {
  return existsSync(program);
}

/** One instance: its port, its folder and the versions of TLS that it offers the server. */
interface Instance {
  readonly port: number;
  readonly folder: string;
  readonly protocol: 'ALL' | 'TLSv1.2';
}

function settings(address: string, { port, folder, protocol }: Instance): readonly string[] {
  return [
    'ServerName bench',
    'ServerType standalone',
    'UseIPv6 off',
    `Port ${port}`,
    // mod_proxy serves private addresses; it takes a client at 127.0.0.1 for a stranger.
    `DefaultAddress ${address}`,
    'SocketBindTight on',
    'User nobody',
    'Group nogroup',
    'MaxInstances 2000',
    'UseReverseDNS off',
    'RequireValidShell off',
    'TimeoutIdle 0',
    'TimeoutLogin 0',
    'TimeoutNoTransfer 0',
    'WtmpLog off',
    'TransferLog none',
    `SystemLog ${path.join(folder, 'system.log')}`,
    `PidFile ${path.join(folder, 'pid')}`,
    `ScoreboardFile ${path.join(folder, 'scoreboard')}`,
    `DelayTable ${path.join(folder, 'delay')}`,
    'DelayEngine off',
    `ModulePath ${path.join(root, 'usr/lib/proftpd')}`,
    'LoadModule mod_tls.c',
    'LoadModule mod_proxy.c',
    'ProxyEngine on',
    `ProxyTables ${path.join(folder, 'tables')}`,
    'ProxyRole forward',
    'ProxyForwardMethod user@host',
    'ProxyTLSEngine on',
    'ProxyTLSVerifyServer off',
    `ProxyTLSProtocol ${protocol}`,
  ];
}

interface Host {
  readonly namespace: string;
  readonly address: string;
}

/**
 * Starts it on `host`; `folder` takes its files. Uploads have an instance of their own with TLS 1.2, the highest version
 * that its documentation names: with TLS 1.3 it closes the data connection with the server's tickets unread, the kernel
 * sends a reset, and vsftpd loses the end of every large file and answers 426.
 */
export async function startModProxy(host: Host, folder: string, server: LabServer): Promise<Contender> {
  const main = { port: 21, folder: path.join(folder, 'main'), protocol: 'ALL' } as const;
  const second = { port: 2121, folder: path.join(folder, 'uploads'), protocol: 'TLSv1.2' } as const;
  const uploads = contender(host, server, second, await startInstance(host, second));
  return { ...contender(host, server, main, await startInstance(host, main)), uploads };
}

function contender(host: Host, server: LabServer, instance: Instance, proxy: Proxy): Contender {
  return {
    name: 'mod_proxy',
    namespace: host.namespace,
    address: host.address,
    port: instance.port,
    user: `${login.user}@${server.address.ipv4}`,
    protection: 'none',
    roots: () => [proxy.pid()],
    log: () => proxy.log(),
    proxy,
    uploads: undefined,
  };
}

function startInstance(host: Host, instance: Instance): Promise<Proxy> {
  mkdirSync(path.join(instance.folder, 'tables'), { recursive: true });
  const file = path.join(instance.folder, 'proftpd.conf');
  writeFileSync(file, `${settings(host.address, instance).join('\n')}\n`, { mode: 0o600 });
  return startProxy({
    name: 'mod_proxy',
    place: { namespace: host.namespace },
    argv: withLibraries('proftpd-proxy', [program, '--nodaemon', '--config', file]),
    serves: () => isListening(host.namespace, instance.port),
    log: () => '',
  });
}
