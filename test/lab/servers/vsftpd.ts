// vsftpd: the strictest of the three about TLS (session reuse, close_notify), the laxest about MLSD (it has none).
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unpacked, withLibraries, type ServerKind, type Site } from '../harness/server.js';

const program = path.join(unpacked('vsftpd'), 'usr/sbin/vsftpd');

function settings(site: Site, secured: boolean): readonly string[] {
  const empty = path.join(site.folder, 'empty');
  mkdirSync(empty, { recursive: true });
  const listen = site.address.includes(':')
    ? ['listen=NO', 'listen_ipv6=YES', `listen_address6=${site.address}`]
    : ['listen=YES', 'listen_ipv6=NO', `listen_address=${site.address}`];
  const tls = [
    'ssl_enable=YES',
    'force_local_logins_ssl=YES',
    'force_local_data_ssl=YES',
    'require_ssl_reuse=YES',
    'strict_ssl_read_eof=YES',
    'ssl_ciphers=HIGH',
    `rsa_cert_file=${site.certificate.certificate}`,
    `rsa_private_key_file=${site.certificate.key}`,
  ];
  return [
    ...listen,
    'background=NO',
    'anonymous_enable=NO',
    'local_enable=YES',
    'write_enable=YES',
    'local_umask=022',
    'connect_from_port_20=YES',
    'pam_service_name=vsftpd',
    'seccomp_sandbox=NO',
    // A network namespace per session makes 500 sessions a test of the kernel and not of ftpseal.
    'isolate_network=NO',
    'isolate=NO',
    // Its own bound for one address is 50.
    'max_per_ip=0',
    `secure_chroot_dir=${empty}`,
    'xferlog_enable=YES',
    'xferlog_std_format=NO',
    'log_ftp_protocol=YES',
    `vsftpd_log_file=${path.join(site.folder, 'vsftpd.log')}`,
    ...(secured ? tls : ['ssl_enable=NO']),
  ];
}

/** vsftpd with further lines in its configuration; the last line for a key counts. */
export function vsftpd(
  name: string,
  setup: string,
  secured: boolean,
  further: readonly string[] = [],
): ServerKind {
  return {
    name,
    setup,
    secured,
    mlsd: false,
    prepare: (site) => {
      const file = path.join(site.folder, 'vsftpd.conf');
      writeFileSync(file, `${[...settings(site, secured), ...further].join('\n')}\n`);
      return withLibraries('vsftpd', [program, file]);
    },
  };
}

export const vsftpdTls = vsftpd(
  'vsftpd',
  'TLS 1.3, session reuse required, strict end of file, TLS forced',
  true,
);
export const vsftpdPlain = vsftpd('plain', 'vsftpd without TLS', false);
