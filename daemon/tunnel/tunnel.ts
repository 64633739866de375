// One tunnel from its options to its exit code: both sides are connected, the encrypted one is secured and judged, and
// only then the first byte moves.
import type net from 'node:net';
import { isatty } from 'node:tty';
import { Fault } from '../../shared/fault.js';
import { groupFingerprint } from '../../shared/fingerprint.js';
import { connectSide, type Connected, type ConnectOptions, type Program } from './connections.js';
import type { Credentials } from './credentials.js';
import { standardLeg } from './descriptors.js';
import { secure } from './handshake.js';
import { tcpLeg, unixLeg, type Leg } from './leg.js';
import type { Method } from './method.js';
import { judgePeer, looksAtPeer, type PeerFacts, type PeerPolicy } from './peer-verdict.js';
import type { Side, TunnelPlan } from './plan.js';
import { relay, type Outcome } from './relay.js';
import type { Report } from './report.js';

/** How the encrypted side is made; `clear` for tests of the rest, where nothing is encrypted at all. */
export type Security =
  | { readonly kind: 'clear' }
  | {
      readonly kind: 'tls';
      readonly credentials: Credentials | undefined;
      readonly authorities: readonly string[] | undefined;
      readonly method: Method | undefined;
      readonly policy: PeerPolicy;
      readonly name: string | undefined;
    };

export interface TunnelOptions {
  readonly plan: TunnelPlan;
  readonly security: Security;
  /** `-t` in milliseconds; undefined: the defaults for connecting, and no limit for silence. */
  readonly patienceMs: number | undefined;
  readonly endsWithClient: boolean;
  readonly holdsEnd: boolean;
  readonly report: Report;
}

/** For dialling and for the handshake, each, without `-t`. */
const SETUP_MS = 30_000;
/** For a program to end by itself when its connection is over. */
const PROGRAM_MS = 5000;

/** Runs the tunnel. Resolves with the exit code: 0, 1, or that of the wrapped program. Rejects with a Fault before the first byte. */
export async function runTunnel(options: TunnelOptions): Promise<number> {
  const { plan, report } = options;
  const connect: ConnectOptions = {
    dialMs: options.patienceMs ?? SETUP_MS,
    acceptMs: options.patienceMs,
    onListening: (where) => {
      report.info(`listens on ${where}`);
    },
  };
  const outer = await connectOuter(plan.secure, connect);
  const secureLeg = await secureOuter(outer, options);
  // The clear side comes second: nobody is connected to on behalf of somebody who was refused.
  const inner = await connectInner(plan.clear, connect).catch((error: unknown) => {
    secureLeg.abort();
    throw error;
  });
  const outcome = await relay(inner.leg, secureLeg, {
    role: plan.role,
    endsWithClient: options.endsWithClient,
    endsWithServer: plan.role === 'client' && plan.clear.kind === 'stdio' && isatty(0),
    holdsEnd: options.holdsEnd,
    idleMs: options.patienceMs,
  });
  tell(outcome, plan.role === 'client' ? 'server' : 'client', report);
  const program = inner.program ?? outer.program;
  const programCode = program === undefined ? 0 : await endOf(program);
  // A program that failed breaks the clear side off, and its own code says more.
  const isOwnFault = outcome.kind === 'done' || (outcome.kind === 'cut' && outcome.side === 'clear');
  return isOwnFault && programCode !== 0 ? programCode : outcome.kind === 'done' ? 0 : 1;
}

function connectOuter(side: Side, connect: ConnectOptions): Promise<Connected> {
  if (side.kind !== 'stdio') return connectSide(side, connect);
  throw new Error('no plan has its encrypted side on two descriptors');
}

async function connectInner(
  side: Side,
  connect: ConnectOptions,
): Promise<{ readonly leg: Leg; readonly program: Program | undefined }> {
  if (side.kind === 'stdio') return { leg: standardLeg(), program: undefined };
  const { socket, program } = await connectSide(side, connect);
  return { leg: clearLeg(socket, program), program };
}

function clearLeg(socket: net.Socket, program?: Program): Leg {
  return socket.remoteFamily === undefined ? unixLeg(socket, program?.exitCode) : tcpLeg(socket);
}

async function secureOuter({ socket, program }: Connected, options: TunnelOptions): Promise<Leg> {
  const { security, plan, report } = options;
  if (security.kind === 'clear') {
    report.warn('nothing is encrypted (-n).');
    socket.setNoDelay(true);
    return clearLeg(socket, program);
  }
  const { leg, facts, protocol } = await secure(socket, {
    ...security,
    role: plan.role,
    asksForCertificate: looksAtPeer(security.policy),
    handshakeMs: options.patienceMs ?? SETUP_MS,
  });
  report.info(`secured with ${protocol}`);
  judge(facts, security.policy, options, leg);
  return leg;
}

function judge(facts: PeerFacts, policy: PeerPolicy, { plan, report }: TunnelOptions, leg: Leg): void {
  const verdict = judgePeer(facts, policy, plan.role);
  if (facts.kind === 'shown') report.debug(`the other end's key is ${groupFingerprint(facts.fingerprint)}`);
  if (verdict.kind === 'refused') {
    leg.abort();
    throw new Fault('network', verdict.sentence);
  }
  if (verdict.kind === 'unchecked' && plan.role === 'client' && verdict.fingerprint !== undefined) {
    report.warn(
      `nobody has checked that this is the right server. If its key is right, give --fingerprint ${verdict.fingerprint}; or -S for the authorities.`,
    );
  }
}

function tell(outcome: Outcome, peer: string, report: Report): void {
  const counts = `${outcome.toSecure} bytes went out, ${outcome.toClear} came in`;
  switch (outcome.kind) {
    case 'done':
      report.info(`done: ${counts}`);
      return;
    case 'cut':
      report.error(
        outcome.side === 'secure'
          ? `The ${peer} broke the connection off without TLS's end mark: data may be missing (${counts}).`
          : `The clear side broke off: data may be missing (${counts}).`,
      );
      return;
    case 'undelivered':
      report.error(`The ${peer} closed the connection before it had everything (${counts}).`);
      return;
    case 'idle':
      report.error(`Nothing moved for the time that -t allows; the connection was broken off (${counts}).`);
      return;
  }
}

/** Its exit code; a program that goes on without its connection is asked to end. */
async function endOf(program: Program): Promise<number> {
  const timer = setTimeout(program.terminate, PROGRAM_MS);
  const giveUp = new Promise<number>((resolve) => {
    setTimeout(resolve, 2 * PROGRAM_MS, 1).unref();
  });
  const code = await Promise.race([program.exitCode, giveUp]);
  clearTimeout(timer);
  return code;
}
