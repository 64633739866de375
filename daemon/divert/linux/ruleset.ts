// The nftables text for a plan: pure, so that a test can hold every rule against a golden file. The table is
// `inet ftpseal`, beside it for running sessions `inet ftpseal_hold`, and between the two for moments `inet ftpseal_takeover`; nothing
// here names or touches any other.
import { familyOf } from '../../../shared/endpoint.js';
import {
  formatForwardedChains,
  formatForwardGuard,
  forwardedPlaceRules,
  forwardedSourceRules,
} from './forwarded-rules.js';
import { formatCidr, interceptedPorts, NOT_A_SYN, redirectRules, refusalRules } from './matches.js';
import type { DivertPlan, DivertedServer, WorkerPorts } from '../diverter.js';

/** Names of the two tables, both of the family inet. */
export const tableNames = { redirect: 'ftpseal', hold: 'ftpseal_hold' } as const;

const TABLE = `inet ${tableNames.redirect}`;
const HOLD = `inet ${tableNames.hold}`;
const TAKEOVER = 'inet ftpseal_takeover';
/** The port that active data connections come from (RFC 959, section 3.2). */
const FTP_DATA = 20;

/** How long the rules live: until they are removed, or until the process that made them is gone, however it ended. */
export type RuleLifetime = 'persistent' | 'owned';

/** Removes the table, whether it is there or not. `owned` works only through the socket that made it. */
export function formatRemoval(lifetime: RuleLifetime): string {
  const declared = lifetime === 'owned' ? `${TABLE} { flags owner; }` : TABLE;
  return `add table ${declared}\ndelete table ${TABLE}\n`;
}

/**
 * A second table that redirects nothing. It keeps address translation at work. Without any nat chain and any use of
 * connection tracking in the network namespace the kernel stops translating at once, and what a client of a running session
 * sends next, its password maybe, leaves for the server in clear. Persistent, because it matters most when the other
 * table dies with its owner. Knowing the plan, it lets nobody take the proxy's place among those that are still translated,
 * and for `closed` refuses the connections that should be redirected and are not.
 */
export function formatHold(plan: DivertPlan | undefined): string {
  // An empty chain is not enough: only an expression that needs connection tracking keeps it switched on.
  return [
    `add table ${HOLD}`,
    `delete table ${HOLD}`,
    `table ${HOLD} {`,
    '\tchain out {',
    '\t\ttype nat hook output priority -100; policy accept;',
    '\t\tct state established return',
    '\t}',
    ...(plan === undefined ? [] : formatHeld(plan)),
    '}\n',
  ].join('\n');
}

function formatHeld(plan: DivertPlan): readonly string[] {
  if (plan.onFailure === 'open') return [...formatPlaceChain(plan), ...formatLeavingChain(['place'])];
  return [...formatRefusals(plan), ...formatPlaceChain(plan), ...formatLeavingChain(['guard', 'place'])];
}

function formatRefusals(plan: DivertPlan): readonly string[] {
  return [...formatExemptSets(plan), ...formatGuardChain(plan, []), ...formatForwardGuard(plan, [])];
}

/**
 * A third table for the moment in which the second one is replaced while nothing redirects: it refuses the same. A packet that is on
 * its way through the hooks at that moment knows the old table, whose rules have just ended, and not yet the new one.
 */
export function formatTakeover(plan: DivertPlan): string {
  const chains = [...formatRefusals(plan), ...formatLeavingChain(['guard'])];
  return `${formatTakeoverRemoval()}table ${TAKEOVER} {\n${chains.join('\n')}\n}\n`;
}

/** Removes the third table, whether it is there or not. */
export function formatTakeoverRemoval(): string {
  return removal(TAKEOVER);
}

/** Removes the second table and the third, whether they are there or not. */
export function formatHoldRemoval(): string {
  return removal(HOLD) + formatTakeoverRemoval();
}

function removal(table: string): string {
  return `add table ${table}\ndelete table ${table}\n`;
}

/** The whole plan as one transaction that replaces whatever table of that lifetime is there. */
export function formatRuleset(plan: DivertPlan, lifetime: RuleLifetime): string {
  return [
    formatRemoval(lifetime) + `table ${TABLE} {`,
    ...(lifetime === 'owned' ? ['\tflags owner;'] : []),
    ...formatSets(plan),
    ...formatRedirectChain(plan),
    ...formatSourceChain(plan),
    ...formatGuardChain(plan, plan.workers),
    ...formatPlaceChain(plan),
    ...formatLeavingChain(['guard', 'place']),
    ...formatForwardedChains(plan),
    '}\n',
  ].join('\n');
}

/**
 * The difference between two lists of servers as one transaction; empty if there is none. The rest of the
 * table is not read, flushed or rewritten: a new session costs the same with one server or two thousand.
 */
export function formatServerChange(
  before: readonly DivertedServer[],
  after: readonly DivertedServer[],
): string {
  const old = new Map(before.map((server) => [server.address, server.activePort]));
  const next = new Map(after.map((server) => [server.address, server.activePort]));
  const gone = before.filter((server) => next.get(server.address) !== server.activePort);
  const come = after.filter((server) => old.get(server.address) !== server.activePort);
  return [...elementLines('delete', gone), ...elementLines('add', come)].join('');
}

function elementLines(verb: 'add' | 'delete', servers: readonly DivertedServer[]): readonly string[] {
  return ([4, 6] as const).flatMap((family) => {
    const members = servers.filter((server) => familyOf(server.address) === family);
    if (members.length === 0) return [];
    return [
      `${verb} element ${TABLE} servers${family} { ${members.map((server) => server.address).join(', ')} }\n`,
      `${verb} element ${TABLE} active${family} { ${members.map(activeElement).join(', ')} }\n`,
    ];
  });
}

function activeElement(server: DivertedServer): string {
  return `${server.activePort} : ${server.address} . ${FTP_DATA}`;
}

function formatSets(plan: DivertPlan): readonly string[] {
  return [...formatServerSets(plan), ...formatExemptSets(plan)];
}

function formatExemptSets(plan: DivertPlan): readonly string[] {
  return ([4, 6] as const).flatMap((family) => {
    const nets = plan.exemptNets.filter((net) => familyOf(net.address) === family);
    // auto-merge: a person may exempt a block and a part of it, which nft would call a conflict.
    const type = `type ipv${family}_addr; flags interval; auto-merge`;
    return declaration(`set exempt${family}`, type, nets.map(formatCidr));
  });
}

function formatServerSets(plan: DivertPlan): readonly string[] {
  return ([4, 6] as const).flatMap((family) => {
    const servers = plan.servers.filter((server) => familyOf(server.address) === family);
    const type = `ipv${family}_addr`;
    return [
      ...declaration(
        `set servers${family}`,
        `type ${type}`,
        servers.map((server) => server.address),
      ),
      ...declaration(
        `map active${family}`,
        `type inet_service : ${type} . inet_service`,
        servers.map(activeElement),
      ),
    ];
  });
}

function declaration(head: string, type: string, elements: readonly string[]): readonly string[] {
  const content = elements.length === 0 ? [] : [`\t\telements = { ${elements.join(', ')} }`];
  return [`\t${head} {`, `\t\t${type}`, ...content, '\t}'];
}

// Each rule that returns leaves the packet to the rest of the machine's rules, untouched.
function formatRedirectChain(plan: DivertPlan): readonly string[] {
  return [
    '\tchain out {',
    '\t\ttype nat hook output priority -100; policy accept;',
    ...leftAlone(plan),
    ...redirectRules(plan),
    '\t}',
  ];
}

// The client that awaits an active data connection must see the server's address and port 20, not ours. It is a
// connection from this machine to itself, so it is ours to rename where it leaves for the loopback interface. Before the usual 100: a
// router that masquerades whatever leaves would otherwise do it first.
function formatSourceChain(plan: DivertPlan): readonly string[] {
  return [
    '\tchain post {',
    '\t\ttype nat hook postrouting priority 99; policy accept;',
    `\t\tmeta skuid ${plan.proxyUid} oif "lo" snat ip to tcp sport map @active4`,
    `\t\tmeta skuid ${plan.proxyUid} oif "lo" snat ip6 to tcp sport map @active6`,
    ...forwardedSourceRules(plan),
    '\t}',
  ];
}

// The nat chain sees only what connection tracking calls new. A client that gets the source port of a connection that the
// proxy just lost is taken for that connection, skips the redirect and would log in in clear. So nothing that
// should have been redirected may leave.
function formatGuardChain(plan: DivertPlan, workers: readonly WorkerPorts[]): readonly string[] {
  return ['\tchain guard {', ...leftAlone(plan), ...refusalRules(plan, workers), '\t}'];
}

// The workers' ports are no privileged ones. While a worker or the proxy is dead any user could listen there and be sent
// the passwords of all others. The answer to a redirected SYN is the listener's: an impostor's does not leave, so that no
// connection to it comes about. Told by the connection and not by the port, because a SYN that waited may be sent again
// when the proxy listens elsewhere.
function formatPlaceChain(plan: DivertPlan): readonly string[] {
  return [
    '\tchain place {',
    '\t\tct direction original return',
    `\t\tmeta l4proto tcp ct original proto-dst != { ${interceptedPorts(plan)} } return`,
    ...['ip saddr 127.0.0.1', 'ip6 saddr ::1'].map(
      (source) => `\t\t${source} meta skuid != ${plan.proxyUid} drop`,
    ),
    ...forwardedPlaceRules(plan),
    '\t}',
  ];
}

/** Flags of a packet that begins or answers a connection, and who judges it. */
const judges = {
  guard: 'tcp flags & (syn | ack) == syn goto guard',
  place: 'tcp flags & (syn | ack) == (syn | ack) goto place',
} as const;

// Every packet that leaves this machine passes here, whosever it is: one hook for both judges, and one rule for all but the
// first packet of a connection. What is not TCP matches none of the three.
function formatLeavingChain(chains: readonly (keyof typeof judges)[]): readonly string[] {
  return [
    '\tchain leaving {',
    '\t\ttype filter hook output priority 0; policy accept;',
    '\t\ttcp flags & syn != syn return',
    ...chains.map((chain) => `\t\t${judges[chain]}`),
    '\t}',
  ];
}

// Only SYNs are judged, so that connections older than the rules live on: where connection tracking was off before, their
// next packet looks like a new connection to the nat chain too.
function leftAlone(plan: DivertPlan): readonly string[] {
  return [
    `\t\ttcp dport != { ${interceptedPorts(plan)} } return`,
    `\t\t${NOT_A_SYN} return`,
    `\t\tmeta skuid { ${[...new Set([plan.proxyUid, ...plan.exemptUids])].join(', ')} } return`,
    '\t\tfib daddr type local return',
    '\t\tip daddr @exempt4 return',
    '\t\tip6 daddr @exempt6 return',
  ];
}
