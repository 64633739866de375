// The machine's side of the TUN layer as text: nftables marks what the engine has to see, a rule of the routing policy
// sends what is marked to the device. Pure.
import type { UserId } from '../../../shared/user-id.js';
import type { DivertPlan } from '../diverter.js';

const TABLE = 'inet ftpseal_tun';
const ROUTES = 21021;
/** On packets that go to the device. */
const DIVERTED = '0x46545001';
/** On packets that the engine has let pass. */
export const PASSED = 0x46545002;
const FTP_DATA = 20;

/** Removes the table, whether it is there or not. */
export function formatTunRemoval(): string {
  return `add table ${TABLE}\ndelete table ${TABLE}\n`;
}

/**
 * What the capture filter of WinDivert is on Windows: whatever comes from the proxy's own ports or goes to a port that may
 * be intercepted. Exempt blocks and users are the engine's matter. Link-local addresses need an interface and are left out.
 */
export function formatTunRules(plan: DivertPlan): string {
  const listeners = plan.workers.flatMap((worker) => [worker.control, worker.data]);
  const active = plan.servers.map((server) => server.activePort);
  const virtual = plan.workers.map((worker) => `${worker.virtual.first}-${worker.virtual.last}`);
  const divert = `meta mark set ${DIVERTED} return`;
  return [
    formatTunRemoval() + `table ${TABLE} {`,
    '\tchain out {',
    '\t\ttype route hook output priority -150; policy accept;',
    `\t\tmeta mark 0x${PASSED.toString(16)} return`,
    '\t\tfib daddr type local return',
    // Parts of packets, that only raw sockets make here: a later one has no ports to tell it by.
    `\t\tip frag-off & 0x3fff != 0 ${divert}`,
    `\t\texthdr frag exists ${divert}`,
    '\t\tmeta l4proto != tcp return',
    '\t\tip6 daddr fe80::/10 return',
    ...(listeners.length === 0 ? [] : listenerRules(listeners, plan.proxyUid, divert)),
    ...(active.length === 0 ? [] : activeRules(active, plan.proxyUid, divert)),
    `\t\tmeta skuid ${plan.proxyUid} return`,
    `\t\ttcp dport { ${[...plan.ports, FTP_DATA, ...virtual].join(', ')} } ${divert}`,
    '\t}',
    '}\n',
  ].join('\n');
}

// The workers' ports are no privileged ones. While a worker is dead any user could listen there and be sent the passwords of
// all others: an impostor's answer does not leave.
function listenerRules(ports: readonly number[], proxyUid: UserId, divert: string): readonly string[] {
  const match = `tcp sport { ${ports.join(', ')} }`;
  const answer = 'tcp flags & (syn | ack) == (syn | ack)';
  return [`\t\t${match} ${answer} meta skuid != ${proxyUid} drop`, `\t\t${match} ${divert}`];
}

// A packet without a socket (a reset, the last acknowledgement) has no owner and goes the way of the connection.
function activeRules(ports: readonly number[], proxyUid: UserId, divert: string): readonly string[] {
  const match = `tcp sport { ${ports.join(', ')} }`;
  return [`\t\t${match} meta skuid != ${proxyUid} return`, `\t\t${match} ${divert}`];
}

/**
 * Lines for `ip -batch`: what is marked goes to the device, and nowhere once the device is gone with its process: the rest of a
 * session would leave for the server in clear.
 */
export function formatTunRoutes(device: string): string {
  return [
    `route replace default dev ${device} table ${ROUTES} metric 1`,
    `route replace unreachable default table ${ROUTES} metric 1000`,
    `rule add fwmark ${DIVERTED} lookup ${ROUTES} pref 21021\n`,
  ].join('\n');
}

/** Undoes `formatTunRoutes`; to be run with `-force`, because any of it may be gone. */
export function formatTunRoutesRemoval(): string {
  return [`rule del fwmark ${DIVERTED} lookup ${ROUTES}`, `route flush table ${ROUTES}\n`].join('\n');
}
