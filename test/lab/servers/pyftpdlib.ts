// pyftpdlib: a plain server in Python, easy to make behave oddly.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { login, serverUid } from '../harness/account.js';
import type { ServerKind, Site } from '../harness/server.js';

function program(site: Site): string {
  return [
    'import asyncore, sys',
    'from pyftpdlib.authorizers import DummyAuthorizer',
    'from pyftpdlib.handlers import FTPHandler',
    'from pyftpdlib.servers import FTPServer',
    'authorizer = DummyAuthorizer()',
    `authorizer.add_user('${login.user}', '${login.password}', '${site.home}', perm='elradfmwMT')`,
    'FTPHandler.authorizer = authorizer',
    'FTPHandler.use_sendfile = True',
    `server = FTPServer(('${site.address}', 21), FTPHandler)`,
    'server.max_cons_per_ip = 0',
    'server.serve_forever()',
    '',
  ].join('\n');
}

export const pyftpdlibPlain: ServerKind = {
  name: 'pyftpdlib',
  setup: 'Python, without TLS',
  secured: false,
  mlsd: true,
  prepare: (site) => {
    const file = path.join(site.folder, 'server.py');
    writeFileSync(file, program(site));
    const user = ['setpriv', `--reuid=${serverUid}`, `--regid=${serverUid}`, '--clear-groups', '--'];
    return [...user, '/usr/bin/python3', file];
  },
};
