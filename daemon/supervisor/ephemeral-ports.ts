// Whether the system hands the proxy's own source ports to other programs too.
import fs from 'node:fs';
import { parsePortRange } from '../../shared/endpoint.js';
import type { PortRange } from '../../shared/endpoint.js';
import type { SupervisorLog } from './supervisor-log.js';

/** Logs a warning if `range` overlaps the ephemeral range: a client may then meet the guard's reset and must try again. */
export function warnOfEphemeralOverlap(range: PortRange, log: SupervisorLog): void {
  const ephemeral = ephemeralPorts();
  if (ephemeral === undefined || ephemeral.last < range.first || ephemeral.first > range.last) return;
  log('warn', 'divert.source_ports overlaps the system’s net.ipv4.ip_local_port_range', {
    sourcePorts: `${range.first}-${range.last}`,
    ephemeral: `${ephemeral.first}-${ephemeral.last}`,
  });
}

function ephemeralPorts(): PortRange | undefined {
  try {
    const text = fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    return parsePortRange(text.trim().replace(/\s+/, '-'));
  } catch {
    return undefined;
  }
}
