// ProFTPD with mod_tls: TLS 1.3 and TLS 1.2 only, session reuse required (its default) and not.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { login, serverUid } from '../harness/account.js';
import { unpacked, withLibraries, type ServerKind, type Site } from '../harness/server.js';

export type TlsSetup =
  | {
      readonly protocol: 'TLSv1.2' | 'TLSv1.3';
      readonly reuse: 'required' | 'optional';
      /** The argument of TLSRequired, `on` for all. */
      readonly required?: string;
    }
  | 'none';

const root = unpacked('proftpd');

function tlsSettings(site: Site, tls: TlsSetup): readonly string[] {
  if (tls === 'none') return [];
  return [
    'LoadModule mod_tls.c',
    'TLSEngine on',
    `TLSRequired ${tls.required ?? 'on'}`,
    `TLSProtocol ${tls.protocol}`,
    `TLSRSACertificateFile ${site.certificate.certificate}`,
    `TLSRSACertificateKeyFile ${site.certificate.key}`,
    'TLSVerifyClient off',
    `TLSLog ${path.join(site.folder, 'tls.log')}`,
    ...(tls.reuse === 'optional' ? ['TLSOptions NoSessionReuseRequired'] : []),
  ];
}

function settings(site: Site, tls: TlsSetup): readonly string[] {
  const users = path.join(site.folder, 'users');
  writeFileSync(
    users,
    `${login.user}:${site.account.hash}:${serverUid}:${serverUid}::${site.home}:/bin/sh\n`,
    {
      mode: 0o600,
    },
  );
  return [
    'ServerName lab',
    'ServerType standalone',
    'DefaultServer on',
    'UseIPv6 on',
    'Port 21',
    `DefaultAddress ${site.address}`,
    'SocketBindTight on',
    'User nobody',
    'Group nogroup',
    'Umask 022',
    'MaxInstances 1000',
    'UseReverseDNS off',
    'RequireValidShell off',
    'AllowOverwrite on',
    'AllowStoreRestart on',
    'AllowRetrieveRestart on',
    'RootRevoke off',
    // After an abort it lingers on the closed data connection, ten seconds unless told otherwise.
    'TimeoutLinger 1',
    'AuthOrder mod_auth_file.c',
    `AuthUserFile ${users}`,
    'WtmpLog off',
    'TransferLog none',
    `SystemLog ${path.join(site.folder, 'system.log')}`,
    `ExtendedLog ${path.join(site.folder, 'commands.log')} ALL`,
    `PidFile ${path.join(site.folder, 'pid')}`,
    // Without: its processes wait 200 ms for each other's lock at every login.
    'ScoreboardFile none',
    `DelayTable ${path.join(site.folder, 'delay')}`,
    'DelayEngine off',
    `ModulePath ${path.join(root, 'usr/lib/proftpd')}`,
    ...tlsSettings(site, tls),
  ];
}

/** ProFTPD with this TLS. */
export function proftpd(name: string, setup: string, tls: TlsSetup): ServerKind {
  return {
    name,
    setup,
    secured: tls !== 'none',
    mlsd: true,
    prepare: (site) => {
      const file = path.join(site.folder, 'proftpd.conf');
      writeFileSync(file, `${settings(site, tls).join('\n')}\n`, { mode: 0o600 });
      return withLibraries('proftpd', [path.join(root, 'usr/sbin/proftpd'), '--nodaemon', '--config', file]);
    },
  };
}

export const proftpd13 = proftpd('proftpd-1.3', 'TLS 1.3, session reuse required', {
  protocol: 'TLSv1.3',
  reuse: 'required',
});
export const proftpd12 = proftpd('proftpd-1.2', 'TLS 1.2 only, session reuse required', {
  protocol: 'TLSv1.2',
  reuse: 'required',
});
export const proftpdNoReuse = proftpd('proftpd-noreuse', 'TLS 1.3, NoSessionReuseRequired', {
  protocol: 'TLSv1.3',
  reuse: 'optional',
});
export const proftpdPlain = proftpd('proftpd-plain', 'without TLS', 'none');
