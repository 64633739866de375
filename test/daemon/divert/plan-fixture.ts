// Plans for the redirect tests. Ports and addresses are written as text and pass the same parsers as everywhere.
import { parseIpAddress, parsePort, parsePortRange } from '../../../shared/endpoint.js';
import type { Endpoint, IpAddress, Port, PortRange } from '../../../shared/endpoint.js';
import type { Cidr, DivertPlan, DivertedServer, WorkerPorts } from '../../../daemon/divert/diverter.js';

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is not valid`);
  return value;
}

export function port(n: number): Port {
  return need(parsePort(n), `port ${n}`);
}

export function address(text: string): IpAddress {
  return need(parseIpAddress(text), text);
}

export function endpoint(host: string, n: number): Endpoint {
  return { address: address(host), port: port(n) };
}

export function range(text: string): PortRange {
  return need(parsePortRange(text), text);
}

export function server(text: string, activePort: number): DivertedServer {
  return { address: address(text), activePort: port(activePort) };
}

export function net(text: string): Cidr {
  const [host = '', prefix = ''] = text.split('/');
  return { address: address(host), prefix: Number(prefix) };
}

export const twoWorkers: readonly WorkerPorts[] = [
  { control: port(31100), data: port(31101), virtual: range('21210-22209') },
  { control: port(31108), data: port(31109), virtual: range('22210-23209') },
];

/** Two workers, port 21, the default proxy uid, nothing exempt, no server. */
export function plan(changes: Partial<DivertPlan> = {}): DivertPlan {
  return {
    ports: [port(21)],
    proxyUid: 21021,
    workers: twoWorkers,
    exemptUids: [],
    exemptNets: [],
    servers: [],
    onFailure: 'closed',
    forwarded: undefined,
    ...changes,
  };
}
