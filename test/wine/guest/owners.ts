// Runs under Wine: whose is this process, and whose is each end of a connection that it makes to itself?
import { once } from 'node:events';
import net from 'node:net';
import { accountName, accountSid } from '../../../daemon/sys/windows/accounts.js';
import { connectionOwner } from '../../../daemon/sys/windows/connection-owner.js';
import { processOwner } from '../../../daemon/sys/windows/process-owner.js';
import { socketOwner } from '../../../daemon/sys/socket-owner.js';
import { socketProgram } from '../../../daemon/sys/socket-program.js';
import { userId, userName } from '../../../daemon/cli/user-names.js';
import { parseIpAddress, parsePort, type Endpoint } from '../../../shared/endpoint.js';

function endpoint(host: string | undefined, number: number | undefined): Endpoint {
  const [address, port] = [parseIpAddress(host), parsePort(number)];
  if (address === undefined || port === undefined) throw new Error('an end is missing');
  return { address, port };
}

const server = net.createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const bound = server.address();
const client = net.connect(typeof bound === 'object' ? (bound?.port ?? 0) : 0, '127.0.0.1');
const [accepted] = (await once(server, 'connection')) as [net.Socket];
// Wine tells the holder of a socket only once its process has used it.
accepted.write('x');
await once(client, 'data');
client.write('y');
await once(accepted, 'data');

const peer = endpoint(accepted.remoteAddress, accepted.remotePort);
const local = endpoint(accepted.localAddress, accepted.localPort);
const me = processOwner(process.pid);
const owner = connectionOwner(peer, local);
const stranger = connectionOwner({ ...peer, port: local.port }, peer);
const sid = me?.sid;
process.stdout.write(
  JSON.stringify({
    image: me?.image,
    isMyself: owner?.pid === process.pid && owner.sid === sid && owner.session === me?.session,
    sid,
    isAdministrator: me?.isAdministrator,
    stranger: stranger ?? null,
    noProcess: processOwner(0xfff0) ?? null,
    socketOwner: socketOwner(peer, local),
    program: (await socketProgram(peer, local))?.name,
    name: sid === undefined ? undefined : userName(sid),
    roundTrip: sid === undefined ? undefined : userId(accountName(sid) ?? ''),
    administrators: accountSid('Administrators'),
    nobody: accountSid('nobody of this name') ?? null,
  }),
);
client.destroy();
accepted.destroy();
server.close();
