// One data channel as the core knows it: where the client's end and the server's end are to be found, and in which words.
import { parsePort, type Endpoint, type Port } from '../../shared/endpoint.js';
import { format227, format228, format229, parse227, parse229 } from './addresses.js';
import type { ChannelId } from './events.js';
import type { Reply } from './reply-reader.js';

/** How the client gets its data connection. */
export type ClientSide =
  | { readonly kind: 'passive'; readonly form: 'PASV' | 'EPSV' | 'LPSV' }
  | { readonly kind: 'active'; readonly to: Endpoint };

export interface Channel {
  readonly id: ChannelId;
  readonly client: ClientSide;
  /** Where the server listens; undefined in active mode. */
  upstream: Endpoint | undefined;
  /** What the client connects to; undefined until known or when it listens itself. */
  offered: Endpoint | undefined;
  /** The client has its connection to us; what it sends there is in our hands. */
  clientConnected: boolean;
  /** The server's port was reached. */
  serverReached: boolean;
  serverFailed: boolean;
  /** The server refused a transfer on this channel, so it may have closed its side. */
  refusedOnce: boolean;
}

export function newChannel(id: ChannelId, client: ClientSide): Channel {
  return {
    id,
    client,
    upstream: undefined,
    offered: undefined,
    clientConnected: false,
    serverReached: false,
    serverFailed: false,
    refusedOnce: false,
  };
}

/** The reply to the client's request; `text` for a client that listens itself. With CRLF. */
export function channelReply({ client, offered }: Channel, text: string): Buffer {
  return Buffer.from(`${channelText(client, offered, text)}\r\n`);
}

function channelText(client: ClientSide, offered: Endpoint | undefined, text: string): string {
  if (client.kind === 'active' || offered === undefined) return text;
  if (client.form === 'PASV') return format227(offered);
  if (client.form === 'LPSV') return format228(offered);
  return format229(offered.port);
}

/**
 * Where a server listens that answered EPSV or PASV; undefined if it does not say or names a system port. The address in a 227 is
 * believed only where policy allows: else a server could send us, inside our own network, to anybody (RFC 2577).
 */
export function upstreamNamedBy(
  form: 'EPSV' | 'PASV',
  reply: Reply,
  server: Endpoint,
  allowForeignAddress: boolean,
): Endpoint | undefined {
  const text = reply.lines.join(' ');
  const from227 = form === 'PASV' && reply.code === 227 ? parse227(text) : undefined;
  const port = form === 'EPSV' && reply.code === 229 ? parse229(text) : from227?.port;
  if (port === undefined || !isUserPort(port)) return undefined;
  return { address: allowForeignAddress ? (from227?.address ?? server.address) : server.address, port };
}

/** A port of the client's own side that data connections may go to: its address, and no system port. */
export function isOwnDataPort(client: Endpoint, to: Endpoint): boolean {
  return to.address === client.address && isUserPort(to.port);
}

function isUserPort(port: Port): boolean {
  return (parsePort(port) ?? 0) >= 1024;
}
