// The contenders with nothing in between.
import { login } from '../../lab/harness/account.js';
import type { LabServer } from '../../lab/harness/server.js';
import type { Contender } from '../ftp/contender.js';

function direct(name: string, namespace: string, server: LabServer): Contender {
  return {
    name,
    namespace,
    address: server.address.ipv4,
    port: 21,
    user: login.user,
    protection: server.kind.secured ? 'explicit' : 'none',
    roots: () => [],
    log: () => '',
    proxy: undefined,
    uploads: undefined,
  };
}

/** A client that speaks FTPS itself. */
export function native(namespace: string, server: LabServer): Contender {
  return direct('native', namespace, server);
}

/** A plain client at a plain server. */
export function plain(namespace: string, server: LabServer): Contender {
  return direct('plain', namespace, server);
}
