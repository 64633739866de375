// stunnel as a relay of the same bytes: a plain client, stunnel on its host, the same vsftpd with its TLS at the other end. stunnel
// knows no FTP, so control and data connection each have a port, and the client says itself what the server wants to hear.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { login } from '../../lab/harness/account.js';
import type { Lab } from '../../lab/harness/lab.js';
import type { LabServer, ServerKind } from '../../lab/harness/server.js';
import { vsftpd } from '../../lab/servers/vsftpd.js';
import type { Contender } from '../ftp/contender.js';
import { isListening } from '../ftp/listening.js';
import { startProxy } from '../ftp/restartable.js';

const port = { control: 2990, data: 40_100 } as const;
/** Of a server that speaks TLS from the first byte on. */
const implicitPort = 990;

/** The server of stunnel. stunnel keeps the sessions of its two services apart, so the server can't ask for the same one. */
export const relayedServer: ServerKind = {
  ...vsftpd('relayed', 'implicit TLS, one data port', true, [
    'implicit_ssl=YES',
    `listen_port=${implicitPort}`,
    'require_ssl_reuse=NO',
    `pasv_min_port=${port.data}`,
    `pasv_max_port=${port.data}`,
  ]),
  implicit: true,
};

/** Starts it on the host `namespace`. */
export async function startStunnel(lab: Lab, namespace: string, server: LabServer): Promise<Contender> {
  const address = '127.0.0.1';
  const to = server.address.ipv4;
  const folder = path.join(lab.folder, 'stunnel');
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'stunnel.conf');
  const lines = [
    ...['foreground = yes', 'pid =', 'debug = warning', 'client = yes'],
    ...['[control]', `accept = ${address}:${port.control}`, `connect = ${to}:${implicitPort}`],
    ...['[data]', `accept = ${address}:${port.data}`, `connect = ${to}:${port.data}`],
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const proxy = await startProxy({
    name: 'stunnel',
    place: { namespace },
    argv: ['stunnel4', file],
    serves: () => isListening(namespace, port.data, address),
    log: () => '',
  });
  return {
    name: 'stunnel',
    namespace,
    address,
    port: port.control,
    user: login.user,
    protection: 'relayed',
    roots: () => [proxy.pid()],
    log: () => proxy.log(),
    proxy,
    uploads: undefined,
  };
}
