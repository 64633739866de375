// The chains for traffic of other hosts that this machine routes (divert.forwarded): the same redirect and the same guards as
// for its own, for the clients of the plan and nobody else. Pure; daemon/divert/linux/ruleset.ts puts them into the tables.
import { familyOf } from '../../../shared/endpoint.js';
import { formatCidr, interceptedPorts, NOT_A_SYN, redirectRules, refusalRules } from './matches.js';
import type { DivertPlan, ForwardedClient, ForwardedPlan, WorkerPorts } from '../diverter.js';

/** What sends the clients' connections here, and keeps everybody else from the workers' ports; nothing without `plan.forwarded`. */
export function formatForwardedChains(plan: DivertPlan): readonly string[] {
  const { forwarded } = plan;
  if (forwarded === undefined) return [];
  return [
    '\tchain to_proxy {',
    ...redirectRules(plan),
    '\t}',
    '\tchain forwarded {',
    '\t\ttype nat hook prerouting priority -100; policy accept;',
    '\t\tiif "lo" return',
    ...notForwarded(plan),
    '\t\tfib daddr type != unicast return',
    ...forwarded.clients.map((client) =>
      clientRule(client, client.mode === 'secure' ? 'to_proxy' : undefined),
    ),
    '\t}',
    ...formatEntranceChain(forwarded),
    ...formatForwardGuard(plan, plan.workers),
  ];
}

/**
 * Refuses what a client should have had redirected, and clients that may not use FTP at all. In the table that holds for
 * `on_failure = "closed"` it stands alone, without data ports.
 */
export function formatForwardGuard(plan: DivertPlan, workers: readonly WorkerPorts[]): readonly string[] {
  const { forwarded } = plan;
  if (forwarded === undefined) return [];
  return [
    '\tchain refused {',
    ...refusalRules(plan, workers),
    '\t}',
    '\tchain forward_guard {',
    '\t\ttype filter hook forward priority 0; policy accept;',
    ...notForwarded(plan),
    ...forwarded.clients.map((client) => clientRule(client, client.mode === 'leave' ? undefined : 'refused')),
    '\t}',
  ];
}

/** A client that waits for its active data connection must see the server's address and port 20, on its own network too. */
export function forwardedSourceRules(plan: DivertPlan): readonly string[] {
  if (plan.forwarded === undefined) return [];
  return ([4, 6] as const).map(
    (family) =>
      `\t\tmeta skuid ${plan.proxyUid} oif != "lo" snat ${family === 4 ? 'ip' : 'ip6'} to tcp sport map @active${family}`,
  );
}

/** For the chain `place`: the answer to a client's redirected SYN is the proxy's or nobody's. */
export function forwardedPlaceRules(plan: DivertPlan): readonly string[] {
  // Before the workers' ports are known nothing is redirected to them.
  if (plan.forwarded === undefined || plan.forwarded.listen.length === 0) return [];
  return [
    `\t\ttcp sport { ${listenPorts(plan.forwarded)} } ct status dnat meta skuid != ${plan.proxyUid} drop`,
  ];
}

// The workers listen on all addresses now, because a redirect of forwarded traffic goes to the address of the interface that
// it came in by. Nobody on the network may talk to them who was not redirected.
function formatEntranceChain(forwarded: ForwardedPlan): readonly string[] {
  return [
    '\tchain entrance {',
    '\t\ttype filter hook input priority 0; policy accept;',
    `\t\ttcp dport != { ${listenPorts(forwarded)} } return`,
    '\t\tiif "lo" return',
    '\t\tct status dnat return',
    '\t\tmeta l4proto tcp reject with tcp reset',
    '\t}',
  ];
}

function notForwarded(plan: DivertPlan): readonly string[] {
  return [
    `\t\ttcp dport != { ${interceptedPorts(plan)} } return`,
    `\t\t${NOT_A_SYN} return`,
    '\t\tip daddr @exempt4 return',
    '\t\tip6 daddr @exempt6 return',
  ];
}

/** The first rule that knows the client decides: a chain, or back to the rest of the machine's rules. */
function clientRule({ net }: ForwardedClient, chain: string | undefined): string {
  const source = familyOf(net.address) === 4 ? 'ip saddr' : 'ip6 saddr';
  return `\t\t${source} ${formatCidr(net)} ${chain === undefined ? 'return' : `goto ${chain}`}`;
}

function listenPorts({ listen }: ForwardedPlan): string {
  return listen.map((range) => `${range.first}-${range.last}`).join(', ');
}
