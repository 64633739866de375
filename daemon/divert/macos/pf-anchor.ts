// The pf rules of macOS for a plan, as the text of one anchor. Pure. Unrun: no pf has parsed this text and no Mac has loaded it
// (docs/macos.md). pf translates what comes in only, so outbound connections take a turn through lo0 and are redirected there.
import { familyOf } from '../../../shared/endpoint.js';
import type { DivertPlan, WorkerPorts } from '../diverter.js';

/** A child of the anchors that the system's own /etc/pf.conf evaluates, in alphabetical order: no file of the system is changed. */
export const ANCHOR = 'com.apple/021.ftpseal';

interface Family {
  readonly version: 4 | 6;
  readonly word: 'inet' | 'inet6';
  readonly loopback: string;
  readonly loopbackNet: string;
}

const families: readonly Family[] = [
  { version: 4, word: 'inet', loopback: '127.0.0.1', loopbackNet: '127.0.0.0/8' },
  { version: 6, word: 'inet6', loopback: '::1', loopbackNet: '::1/128' },
];

/** Where macOS takes the source ports of programs from, unless net.inet.ip.portrange.first was changed. */
const EPHEMERAL_FIRST = 49152;
const LAST_PORT = 65535;
/** Only connections that begin under the rules: older ones live on as they are. */
const NEW = 'flags S/SA keep state';

/** The whole plan; loading it replaces what the anchor held. pf wants tables first, then translation, then filter rules. */
export function formatAnchor(plan: DivertPlan): string {
  const lines = [
    ...families.flatMap((family) => tables(plan, family)),
    ...families.flatMap((family) => redirects(plan, family)),
    exception(plan),
    ...families.flatMap((family) => routes(plan, family)),
  ];
  return `${lines.join('\n')}\n`;
}

function tables(plan: DivertPlan, { version, loopbackNet }: Family): readonly string[] {
  const nets = plan.exemptNets.filter((net) => familyOf(net.address) === version);
  const exempt = [loopbackNet, ...nets.map((net) => `${net.address}/${net.prefix}`)];
  const servers = plan.servers.filter((server) => familyOf(server.address) === version);
  return [
    formatTable(`exempt${version}`, exempt),
    formatTable(
      `servers${version}`,
      servers.map((server) => server.address),
    ),
  ];
}

function formatTable(name: string, members: readonly string[]): string {
  return `table <${name}> persist${members.length === 0 ? '' : ` { ${members.join(', ')} }`}`;
}

// What programs of this machine say to it comes over lo0 too, and is no business of ours.
function redirects(plan: DivertPlan, { version, word, loopback }: Family): readonly string[] {
  const rdr = `rdr pass on lo0 ${word} proto tcp`;
  return [
    `no rdr on lo0 ${word} proto tcp from any to self`,
    ...plan.workers.map(
      (worker, index) =>
        `${rdr} from any port ${sourceSlice(index, plan.workers.length)} to any port ${ports(plan)} -> ${loopback} port ${worker.control}`,
    ),
    ...plan.workers.map(
      (worker) =>
        `${rdr} from any to <servers${version}> port ${formatRange(worker.virtual)} -> ${loopback} port ${worker.data}`,
    ),
  ];
}

/** pf spreads over addresses, not over ports: a worker gets the clients of its share of the source ports. */
function sourceSlice(index: number, workers: number): string {
  const start = (at: number) =>
    EPHEMERAL_FIRST + Math.floor(((LAST_PORT + 1 - EPHEMERAL_FIRST) * at) / workers);
  return formatRange({ first: index === 0 ? 1 : start(index), last: start(index + 1) - 1 });
}

// The proxy's own connections go out untouched, those to a server's data ports too.
function exception(plan: DivertPlan): string {
  const users = [...new Set([plan.proxyUid, ...plan.exemptUids])].join(', ');
  const reached = [...plan.ports, ...virtualPorts(plan.workers)].join(', ');
  return `pass out quick on ! lo0 proto tcp from any to any port { ${reached} } user { ${users} } ${NEW}`;
}

// `quick`: a later rule of somebody else that lets everything pass would else win, and FTP would leave in clear.
function routes(plan: DivertPlan, { version, word, loopback }: Family): readonly string[] {
  const pass = `pass out quick on ! lo0 route-to (lo0 ${loopback}) ${word} proto tcp from any`;
  const data = virtualPorts(plan.workers);
  return [
    `${pass} to ! <exempt${version}> port ${ports(plan)} ${NEW}`,
    ...(data.length === 0 ? [] : [`${pass} to <servers${version}> port { ${data.join(', ')} } ${NEW}`]),
  ];
}

function ports(plan: DivertPlan): string {
  return `{ ${plan.ports.join(', ')} }`;
}

function virtualPorts(workers: readonly WorkerPorts[]): readonly string[] {
  return workers.map((worker) => formatRange(worker.virtual));
}

function formatRange(range: { readonly first: number; readonly last: number }): string {
  return `${range.first}:${range.last}`;
}
