// Pure-FTPd, with TLS required on the control connection and data connections (-Y 2 for both under TLS) or without TLS.
import path from 'node:path';
import { unpacked, withLibraries, type ServerKind } from '../harness/server.js';

const program = path.join(unpacked('pure-ftpd'), 'usr/sbin/pure-ftpd');

function pureFtpd(name: string, setup: string, secured: boolean): ServerKind {
  return {
    name,
    setup,
    secured,
    mlsd: true,
    prepare: (site) =>
      withLibraries('pure-ftpd', [
        program,
        ...['--bind', `${site.address},21`],
        ...['--login', 'unix', '--noanonymous', '--dontresolve', '--nochmod'],
        ...['--maxclientsnumber', '600', '--maxclientsperip', '600', '--maxidletime', '15'],
        ...['--altlog', `clf:${path.join(site.folder, 'transfers.log')}`],
        ...['--pidfile', path.join(site.folder, 'pid')],
        ...(secured ? ['--tls', '2', '--certfile', site.certificate.both] : ['--tls', '0']),
      ]),
  };
}

export const pureFtpdTls = pureFtpd('pure-ftpd', 'TLS required (-Y 2)', true);
export const pureFtpdPlain = pureFtpd('pure-ftpd-plain', 'without TLS', false);
