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
import type { AcceptedOrigin, ActiveRoute, RedirectedConnections } from '../relay/virtual-data-ports.js';
import { originalDestination } from '../sys/original-destination.js';
import { socketOwner } from '../sys/socket-owner.js';
import { ANY_ADDRESS, listenAddresses, LOOPBACK } from './listeners.js';

export interface RedirectView extends RedirectedConnections {
  /** The addresses that a worker's listeners need, each with the same port. */
  readonly listenOn: readonly IpAddress[];
  /** `originOf` in two steps, for who can begin with the first. */
  readonly arriving: (accepted: Socket) => Arriving;
}

/** An accepted connection of which not all is known yet. */
export interface Arriving {
  /** Its server, if that is known already and may be dialled whoever the owner is. */
  readonly server: Endpoint | undefined;
  /** As `originOf`. */
  readonly origin: () => Promise<AcceptedOrigin | undefined>;
}

/** Asks the redirect layer, in another process. */
export type AskOrigin = (ends: AcceptedEnds) => Promise<ConnectionOrigin | undefined>;

export function redirectView(
  { layer, forwarded }: Pick<Config['divert'], 'layer' | 'forwarded'>,
  ask: AskOrigin,
): RedirectView {
  if (layer === 'nftables') return kernelView(forwarded);
  return layer === 'pf' ? { ...kernelView(false), ...askedOrigin(ask) } : reflectedView(ask);
}

/**
 * The kernel translates what this machine's own programs open to loopback addresses, and what it forwards to the address of the
 * interface that it came in by. It remembers what it has done.
 */
function kernelView(forwarded: boolean): RedirectView {
  return {
    listenOn: listenAddresses(forwarded),
    // No waiting before the owner is known: a small upload may be over, and its owner not to be found any more, a moment later.
    originOf: (accepted) => Promise.resolve(withOwner(kernelEnds(accepted))),
    arriving: (accepted) => {
      const ends = kernelEnds(accepted);
      return {
        // A device may be refused, and shall not make us call servers for nothing.
        server: ends?.forwarded === false ? ends.server : undefined,
        origin: () => Promise.resolve(withOwner(ends)),
      };
    },
    activeRoute: (owner, to, activePort) => {
      // The route to a device chooses the address; the rules rename it where it leaves.
      if (owner.forwarded) return { to, from: { localPort: activePort } };
      const localAddress = familyOf(to.address) === 6 ? '::1' : '127.0.0.1';
      return { to, from: { localAddress, localPort: activePort } };
    },
  };
}

type Ends = Omit<AcceptedOrigin, 'uid'>;

function kernelEnds(accepted: Socket): Ends | undefined {
  const server = originalDestination(accepted);
  const client = peerOf(accepted);
  // As text: the address of an interface that has none but a link-local one carries a zone.
  const local = accepted.localAddress;
  if (server === undefined || client === undefined || local === undefined) return undefined;
  return { client, server, forwarded: !LOOPBACK.some((address) => address === local) };
}

/** A device's socket is not here, and whoever else talks to that server has nothing to do with it. */
function withOwner(ends: Ends | undefined): AcceptedOrigin | undefined {
  if (ends === undefined) return undefined;
  return { ...ends, uid: ends.forwarded ? undefined : socketOwner(ends.client, ends.server) };
}

/**
 * The packet engine swaps addresses: a redirected connection comes from the server's address to this machine's own, and what is
 * sent from the active port to the server's address comes back to the client.
 */
function reflectedView(ask: AskOrigin): RedirectView {
  return {
    listenOn: ANY_ADDRESS,
    ...askedOrigin(ask),
    activeRoute,
  };
}

function askedOrigin(ask: AskOrigin): Pick<RedirectView, 'originOf' | 'arriving'> {
  const originOf = async (accepted: Socket): Promise<AcceptedOrigin | undefined> => {
    const peer = peerOf(accepted);
    const local = localEndOf(accepted);
    const origin = peer === undefined || local === undefined ? undefined : await ask({ peer, local });
    return origin === undefined ? undefined : { ...origin, forwarded: false };
  };
  return { originOf, arriving: (accepted) => ({ server: undefined, origin: () => originOf(accepted) }) };
}

function activeRoute(owner: DataOwner, to: Endpoint, activePort: Port): ActiveRoute {
  return {
    to: { address: owner.server.address, port: to.port },
    from: { localAddress: to.address, localPort: activePort },
  };
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
