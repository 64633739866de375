// The parts of rules that the chains for this machine's own traffic and those for forwarded traffic share. Pure.
import type { Port } from '../../../shared/endpoint.js';
import type { Cidr, DivertPlan, WorkerPorts } from '../diverter.js';

/** Which packets begin a connection: only those are judged, so that connections older than the rules live on. */
export const NOT_A_SYN = 'tcp flags & (fin | syn | rst | ack) != syn';

/** Every destination port that may be redirected. */
export function interceptedPorts(plan: DivertPlan): string {
  const ranges = plan.workers.map((worker) => `${worker.virtual.first}-${worker.virtual.last}`);
  return [...plan.ports, ...ranges].join(', ');
}

/** What matches the passive data connections that belong to one worker. */
export function dataDestinations(worker: WorkerPorts): readonly string[] {
  const ports = `tcp dport ${worker.virtual.first}-${worker.virtual.last}`;
  return [`${ports} ip daddr @servers4`, `${ports} ip6 daddr @servers6`];
}

/** Control connections spread over the workers, data connections each to its own. */
export function redirectRules({ ports, workers }: DivertPlan): readonly string[] {
  return [
    `\t\ttcp dport { ${ports.join(', ')} } redirect to ${spread(workers)}`,
    ...workers.flatMap((worker) =>
      dataDestinations(worker).map((match) => `\t\t${match} redirect to ${dataPorts(worker)}`),
    ),
  ];
}

/** What should have been redirected and was not is answered with a reset. */
export function refusalRules(plan: DivertPlan, workers: readonly WorkerPorts[]): readonly string[] {
  return [
    `\t\ttcp dport { ${plan.ports.join(', ')} } reject with tcp reset`,
    ...workers.flatMap((worker) =>
      dataDestinations(worker).map((match) => `\t\t${match} reject with tcp reset`),
    ),
  ];
}

export function formatCidr(net: Cidr): string {
  return `${net.address}/${net.prefix}`;
}

// Of several ports the kernel takes one where the client's address and port are free. With one alone it gives the client another
// source port as soon as that was used within two minutes, and the owner of such a connection is dear to find.
function dataPorts({ data, dataLast = data }: WorkerPorts): string {
  return dataLast === data ? `:${data}` : `:${data}-${dataLast}`;
}

// A map, not `numgen … offset`: nft 1.0.6 takes the latter and then redirects to the byte-swapped port.
function spread(workers: readonly WorkerPorts[]): string {
  const ports: readonly Port[] = workers.map((worker) => worker.control);
  const [only] = ports;
  if (ports.length === 1 && only !== undefined) return `:${only}`;
  return `:numgen inc mod ${ports.length} map { ${ports.map((port, index) => `${index} : ${port}`).join(', ')} }`;
}
