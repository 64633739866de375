// Source ports for the proxy's own connections to servers. They come from a range that no other program gets from the
// system, so that no client can inherit the connection-tracking entry of one of them (see the guard chain in
// daemon/divert/linux/ruleset.ts). Pure.
import { parsePort, portCount } from '../../shared/endpoint.js';
import type { Port, PortRange } from '../../shared/endpoint.js';

export interface SourcePorts {
  /**
   * The next port, round-robin. It may still be in use towards the same server (EADDRINUSE or EADDRNOTAVAIL at
   * connect): take the next one. `portCount(range)` failures in a row mean that the range is used up.
   */
  next(): Port;
}

/**
 * One worker's allocator over its own share. `start` is where it begins: random by default, so that a restarted
 * daemon does not walk over the ports that its predecessor has just used.
 */
export function sourcePorts(range: PortRange, start = Math.random()): SourcePorts {
  const count = portCount(range);
  let index = Math.floor(start * count) % count;
  return {
    next(): Port {
      const port = parsePort(range.first + index);
      if (port === undefined) throw new RangeError('a source port outside 1 to 65535');
      index = (index + 1) % count;
      return port;
    },
  };
}
