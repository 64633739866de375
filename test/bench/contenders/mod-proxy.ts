// ProFTPD with mod_proxy as a forward proxy that speaks TLS to the server. Set up to be as fast as it can: no log, no
// look-ups, no artificial delay at login, TLS sessions cached in its own database as is its default.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unpacked, withLibraries, type LabServer } from '../../lab/harness/server.js';
import { login } from '../../lab/harness/account.js';
import { isListening } from './listening.js';
import { startProxy } from './restartable.js';
import type { Contender } from './contender.js';

const root = unpacked('proftpd-proxy');
const program = path.join(root, 'usr/sbin/proftpd');

/** Whether the packages have been unpacked. */
export function hasModProxy(): boolean {
  return existsSync(program);
}

function settings(folder: string, address: string): readonly string[] {
  return [
    'ServerName bench',
    'ServerType standalone',
    'UseIPv6 off',
    'Port 21',
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
    // Its documented default ends at TLS 1.2.
    'ProxyTLSProtocol ALL',
  ];
}

/** Starts it on `host`; `folder` takes its files. */
export async function startModProxy(
  host: { readonly namespace: string; readonly address: string },
  folder: string,
  server: LabServer,
): Promise<Contender> {
  mkdirSync(path.join(folder, 'tables'), { recursive: true });
  const file = path.join(folder, 'proftpd.conf');
  writeFileSync(file, `${settings(folder, host.address).join('\n')}\n`, { mode: 0o600 });
  const proxy = await startProxy({
    name: 'mod_proxy',
    place: { namespace: host.namespace },
    argv: withLibraries('proftpd-proxy', [program, '--nodaemon', '--config', file]),
    serves: () => isListening(host.namespace, 21),
    log: () => '',
  });
  return {
    name: 'mod_proxy',
    namespace: host.namespace,
    address: host.address,
    user: `${login.user}@${server.address.ipv4}`,
    tls: false,
    server,
    proxy,
  };
}
