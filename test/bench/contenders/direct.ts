// The two contenders with nothing in between.
import { login } from '../../lab/harness/account.js';
import type { LabServer } from '../../lab/harness/server.js';
import type { Contender } from './contender.js';

function direct(name: Contender['name'], namespace: string, server: LabServer): Contender {
  return {
    name,
    namespace,
    address: server.address.ipv4,
    port: 21,
    user: login.user,
    tls: server.kind.secured,
    server,
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
