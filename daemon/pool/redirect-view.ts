// What a worker has to know of the redirect layer that sends it connections: where to listen, what an accepted connection was,
// and how to reach a client's own data port so that the server seems to call.
import type { Socket } from 'node:net';
import {
  familyOf,
  parseIpAddress,
  parsePort,
  type Endpoint,
  type IpAddress,
  type Port,
} from '../../shared/endpoint.js';
import type { Config } from '../config.js';
import type { AcceptedEnds, ConnectionOrigin } from '../divert/diverter.js';
import type { DataOwner } from '../relay/client-data-ports.js';
import type { ActiveRoute, RedirectedConnections } from '../relay/virtual-data-ports.js';
import { originalDestination } from '../sys/original-destination.js';
import { socketDescriptor } from '../sys/socket-descriptor.js';
import { socketOwner } from '../sys/socket-owner.js';

export interface RedirectView extends RedirectedConnections {
  /** The addresses that a worker's listeners need, each with the same port. */
  readonly listenOn: readonly IpAddress[];
}

/** Asks the redirect layer, in another process. */
export type AskOrigin = (ends: AcceptedEnds) => Promise<ConnectionOrigin | undefined>;

export function redirectView(layer: Config['divert']['layer'], ask: AskOrigin): RedirectView {
  if (layer === 'nftables') return kernelView;
  return layer === 'pf' ? { ...kernelView, originOf: originBy(ask) } : reflectedView(ask);
}

/** The kernel translates to loopback addresses and remembers what it has done. */
const kernelView: RedirectView = {
  listenOn: addresses('127.0.0.1', '::1'),
  // No waiting before the owner is known: a small upload may be over, and its owner not to be found any more, a moment later.
  originOf: (accepted) => Promise.resolve(kernelOrigin(accepted)),
  activeRoute: (_owner, to, activePort) => {
    const localAddress = familyOf(to.address) === 6 ? '::1' : '127.0.0.1';
    return { to, from: { localAddress, localPort: activePort } };
  },
};

function kernelOrigin(accepted: Socket): ConnectionOrigin | undefined {
  const descriptor = socketDescriptor(accepted);
  const server = descriptor === undefined ? undefined : originalDestination(descriptor);
  const client = peerOf(accepted);
  if (server === undefined || client === undefined) return undefined;
  return { client, server, uid: socketOwner(client, server) };
}

/**
 * The packet engine swaps addresses: a redirected connection comes from the server's address to this machine's own, and what is
 * sent from the active port to the server's address comes back to the client.
 */
function reflectedView(ask: AskOrigin): RedirectView {
  return {
    listenOn: addresses('0.0.0.0', '::'),
    originOf: originBy(ask),
    activeRoute,
  };
}

function originBy(ask: AskOrigin): RedirectView['originOf'] {
  return async (accepted) => {
    const peer = peerOf(accepted);
    const local = localEndOf(accepted);
    return peer === undefined || local === undefined ? undefined : ask({ peer, local });
  };
}

function activeRoute(owner: DataOwner, to: Endpoint, activePort: Port): ActiveRoute {
  return {
    to: { address: owner.server.address, port: to.port },
    from: { localAddress: to.address, localPort: activePort },
  };
}

function addresses(...texts: readonly string[]): readonly IpAddress[] {
  return texts.flatMap((text) => parseIpAddress(text) ?? []);
}

/** The other end of an accepted socket; undefined when it is gone already. */
export function peerOf(socket: Socket): Endpoint | undefined {
  return endpointOf(socket.remoteAddress, socket.remotePort);
}

function localEndOf(socket: Socket): Endpoint | undefined {
  return endpointOf(socket.localAddress, socket.localPort);
}

function endpointOf(host: string | undefined, number: number | undefined): Endpoint | undefined {
  const [address, port] = [parseIpAddress(host), parsePort(number)];
  return address === undefined || port === undefined ? undefined : { address, port };
}
