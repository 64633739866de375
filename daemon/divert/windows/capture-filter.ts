// The capture filter that WinDivert is opened with, for a plan: pure text. The driver shows the engine nothing else, so every other
// connection of the machine goes its way untouched.
import { Fault } from '../../../shared/fault.js';
import { FTP_DATA } from './rules.js';
import type { PortRange } from '../../../shared/endpoint.js';
import type { DivertPlan } from '../diverter.js';

/** WinDivert takes 256 instructions a filter; a test of a range is two. */
const MAX_TESTS = 100;

/** The ranges that ports are taken from while a process runs. */
export interface CaptureRanges {
  /** The workers' listeners. */
  readonly listen: readonly PortRange[];
  /** The proxy's end of active data connections. */
  readonly active: PortRange;
  /** Passive data ports that clients are given. */
  readonly virtual: readonly PortRange[];
  /** Where the proxy's own connections to servers come from. */
  readonly upstream: PortRange;
}

/**
 * What comes from the proxy's own ports or goes to a port that may be intercepted, but not what the proxy itself sends from its
 * upstream ports. A filter can't be changed while it is in use, so it names the ranges that ports are taken from
 * (`listen`, `active`) and not the ports of the moment. Throws a Fault of code `config` for a plan too large to express.
 */
export function formatCaptureFilter(plan: Pick<DivertPlan, 'ports'>, ranges: CaptureRanges): string {
  const own = [...joined(ranges.listen), ranges.active].map((range) => isBetween('tcp.SrcPort', range));
  const intercepted = [
    ...[...plan.ports, FTP_DATA].map((port) => `tcp.DstPort == ${port}`),
    ...joined(ranges.virtual).map((range) => isBetween('tcp.DstPort', range)),
  ];
  if (own.length + intercepted.length > MAX_TESTS) {
    throw new Fault('config', 'divert.ports and divert.workers are too many for the filter of WinDivert.');
  }
  const { first, last } = ranges.upstream;
  const notUpstream = `(tcp.SrcPort < ${first} or tcp.SrcPort > ${last})`;
  const ours = [...own, `(${notUpstream} and (${intercepted.join(' or ')}))`].join(' or ');
  // A later part of a packet has no ports: the engine has to see all parts.
  return `outbound and !loopback and (fragment or (tcp and (${ours})))`;
}

/** Ranges that follow each other without a gap as one: the workers' shares are of one piece. */
function joined(ranges: readonly PortRange[]): readonly PortRange[] {
  const whole: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = whole.at(-1);
    if (last === undefined || last.last + 1 < range.first) whole.push(range);
    else
      whole[whole.length - 1] = { first: last.first, last: range.last > last.last ? range.last : last.last };
  }
  return whole;
}

// A Port is at most 65535, which matters here: a larger number compiles silently to another one.
function isBetween(field: string, { first, last }: PortRange): string {
  return first === last ? `${field} == ${first}` : `(${field} >= ${first} and ${field} <= ${last})`;
}
