// The PROXY protocol's header, which tells a backend on the same machine who its client really is. Versions 1 and 2 of
// "The PROXY protocol" (HAProxy), for TCP.
import { familyOf, type Endpoint } from '../../shared/endpoint.js';
import { addressToBytes } from '../sys/sockaddr.js';
import type { ProxyProtocol } from './serve-config.js';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const VERSION_2_PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;

/** The two ends of the client's connection. */
export interface Ends {
  readonly client: Endpoint;
  readonly server: Endpoint;
}

/** The bytes to send before anything else; none for `none`. Both ends are of one family, as those of a connection are. */
export function formatProxyHeader(version: ProxyProtocol, ends: Ends): Buffer {
  switch (version) {
    case 'none':
      return Buffer.alloc(0);
    case 'v1':
      return formatVersion1(ends);
    case 'v2':
      return formatVersion2(ends);
  }
}

function formatVersion1({ client, server }: Ends): Buffer {
  const family = familyOf(client.address) === 4 ? 'TCP4' : 'TCP6';
  return Buffer.from(
    `PROXY ${family} ${client.address} ${server.address} ${client.port} ${server.port}\r\n`,
    'latin1',
  );
}

function formatVersion2({ client, server }: Ends): Buffer {
  const body = Buffer.concat([
    addressToBytes(client.address),
    addressToBytes(server.address),
    portBytes(client.port),
    portBytes(server.port),
  ]);
  const family = familyOf(client.address) === 4 ? TCP4 : TCP6;
  return Buffer.concat([SIGNATURE, Buffer.from([VERSION_2_PROXY, family]), portBytes(body.length), body]);
}

function portBytes(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
