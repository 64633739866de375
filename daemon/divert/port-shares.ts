// Splits the configured port ranges over the workers. Pure.
import { parsePort, portCount } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { PortRange } from '../../shared/endpoint.js';
import type { WorkerShare } from '../privops.js';

/** Two listeners a worker, and room beside a port that another program has taken. */
const LISTEN_PORTS = 16;
/** Where the listeners may go: below the usual ephemeral range, so that no client's port is in the way. */
const listenBases = [31100, 28100, 25100, 20100, 10100];

/** The ranges of the configuration; none of them holds a listener. */
export interface ConfiguredRanges {
  readonly dataPorts: PortRange;
  readonly sourcePorts: PortRange;
  readonly activePorts: PortRange;
}

/**
 * One share a worker, disjoint; `listenRange` is one of `listenRanges`, by default the first. Throws a Fault of code `config` if a
 * range has fewer ports than workers.
 */
export function portShares(
  ranges: ConfiguredRanges,
  workers: number,
  listenRange = listenRanges(ranges, workers)[0],
): readonly WorkerShare[] {
  const listen = split(listenRange, workers);
  const virtual = split(ranges.dataPorts, workers);
  const source = split(ranges.sourcePorts, workers);
  return listen.map((range, index) => ({
    listen: range,
    virtual: at(virtual, index),
    sourcePorts: at(source, index),
  }));
}

/**
 * Where the listeners of all workers may go, the best first: the usual places and those that begin at `bases`, as far as they
 * keep out of the configured ranges. Throws a Fault of code `config` if none does.
 */
export function listenRanges(
  ranges: ConfiguredRanges,
  workers: number,
  bases: readonly number[] = [],
): readonly [PortRange, ...PortRange[]] {
  const size = workers * LISTEN_PORTS;
  const taken = [ranges.dataPorts, ranges.sourcePorts, ranges.activePorts];
  const [first, ...others] = [...listenBases, ...bases]
    .map((base) => toRange(base, base + size - 1))
    .filter((range) => taken.every((other) => range.last < other.first || range.first > other.last));
  if (first !== undefined) return [first, ...others];
  throw new Fault(
    'config',
    'The port ranges of [divert] leave no room for the proxy’s own listeners: make one of them smaller.',
  );
}

function split(range: PortRange, parts: number): readonly PortRange[] {
  const size = Math.floor(portCount(range) / parts);
  if (size < 1) {
    throw new Fault(
      'config',
      `The port range ${range.first}-${range.last} is too small for ${parts} workers.`,
    );
  }
  return Array.from({ length: parts }, (_, index) =>
    toRange(
      range.first + index * size,
      index === parts - 1 ? range.last : range.first + (index + 1) * size - 1,
    ),
  );
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError('fewer shares than workers');
  return value;
}

function toRange(first: number, last: number): PortRange {
  const [from, to] = [parsePort(first), parsePort(last)];
  if (from === undefined || to === undefined) throw new RangeError('a port outside 1 to 65535');
  return { first: from, last: to };
}
