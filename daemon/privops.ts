// What the proxy (no privileges) may ask of the supervisor (root), over the child's 'ipc' channel. This file holds
// the whole table: message schemas for both directions and the phase in which each request is permitted.
// Anything else from the child is fatal for the child, as in OpenSSH's monitor.
import { z } from 'zod';
import { endpointSchema, ipAddressSchema, portRangeSchema, portSchema } from '../shared/endpoint.js';
import { Fault } from '../shared/fault.js';
import type { PortRange } from '../shared/endpoint.js';
import { userIdSchema } from '../shared/user-id-schema.js';

/** More workers than any machine gets; the redirect map has one entry per worker. */
export const MAX_WORKERS = 64;
/** Servers with a live or recent session. A desktop has a handful; the limit bounds what the child makes root do. */
export const MAX_SERVERS = 4096;
/** Grace for open sessions that the supervisor gives the proxy at a stop, before it kills. */
export const STOP_GRACE_MS = 3000;
/** How long a retired proxy serves sessions at most: long transfers end, and a security update is not put off for a day. */
export const RETIRE_MS = 30 * 60_000;

/**
 * What becomes of a daemon whose redirect can't be made. It ends, and whoever started it sees why; on Windows nobody sees a service
 * end, so it stays, tells the tray, and tries again: a virus scanner that keeps the driver out is asked about by the person.
 */
export const withoutRedirect: 'end' | 'stay' = process.platform === 'win32' ? 'stay' : 'end';

export const workerPortsSchema = z
  .strictObject({
    control: portSchema,
    data: portSchema,
    dataLast: portSchema.optional(),
    virtual: portRangeSchema,
  })
  .readonly();

export const divertedServerSchema = z
  .strictObject({ address: ipAddressSchema, activePort: portSchema })
  .readonly();

/** Counts the questions whether the proxy still answers. */
const beatSchema = z.number().int().positive();

/** Child to parent. Each request is answered once, in any order, with the same `id`. */
export const privopRequestSchema = z.discriminatedUnion('kind', [
  /**
   * All workers listen on 127.0.0.1 and ::1: install or replace the redirect. Sent once, and again with the whole list
   * whenever a worker was replaced. `virtual` must be the shares that `start` gave, in the same order.
   */
  z.strictObject({
    kind: z.literal('workersReady'),
    workers: z.array(workerPortsSchema).min(1).max(MAX_WORKERS).readonly(),
  }),
  /** The whole list of diverted servers, replacing the previous one. Addresses and active ports are unique. */
  z.strictObject({
    kind: z.literal('setServers'),
    servers: z.array(divertedServerSchema).max(MAX_SERVERS).readonly(),
  }),
  /** Which program owns the client's socket of an intercepted connection (client's address, original destination). */
  z.strictObject({ kind: z.literal('programOf'), client: endpointSchema, server: endpointSchema }),
  /** The answer to `ping`: the same number. */
  z.strictObject({ kind: z.literal('pong'), number: beatSchema }),
  /** What a connection that a worker accepted was before the redirect, where the kernel can't tell. */
  z.strictObject({ kind: z.literal('originOf'), peer: endpointSchema, local: endpointSchema }),
  /** A connection to what reports the look-ups of this machine's programs; it comes with the answer, as a handle. */
  z.strictObject({ kind: z.literal('lookups') }),
]);
export type PrivopRequest = z.infer<typeof privopRequestSchema>;

export const toSupervisorSchema = z.strictObject({
  id: z.number().int().min(0).max(0xffff_ffff),
  request: privopRequestSchema,
});
export type ToSupervisor = z.infer<typeof toSupervisorSchema>;

export const privopAnswerSchema = z.discriminatedUnion('kind', [
  /** `workersReady`, `setServers`: in force from now on. `pong`: heard. */
  z.strictObject({ kind: z.literal('done') }),
  /** `programOf`: both undefined if the owner is unknown or has gone. */
  z.strictObject({
    kind: z.literal('program'),
    pid: z.number().int().positive().optional(),
    name: z.string().max(256).optional(),
  }),
  /** `originOf`: absent if the connection was not redirected; `uid` absent if its owner is not known. */
  z.strictObject({
    kind: z.literal('origin'),
    origin: z
      .strictObject({ client: endpointSchema, server: endpointSchema, uid: userIdSchema.optional() })
      .readonly()
      .optional(),
  }),
  /** `lookups`: the connection is the message's handle. */
  z.strictObject({ kind: z.literal('lookups') }),
  /** The redirect layer refused; a sentence for the log and for `status`. */
  z.strictObject({ kind: z.literal('failed'), sentence: z.string().max(2048) }),
]);
export type PrivopAnswer = z.infer<typeof privopAnswerSchema>;

/** What one worker gets for itself: no two workers share a port. Same words as daemon/pool/worker-data.ts. */
export const workerShareSchema = z
  .strictObject({
    /** Its control and data listeners take two of these, each on 127.0.0.1 and ::1; a replacement gets the same range. */
    listen: portRangeSchema,
    /** Virtual ports for its PASV and EPSV replies. */
    virtual: portRangeSchema,
    /** Source ports for its connections to servers (daemon/sys/source-ports.ts). */
    sourcePorts: portRangeSchema,
  })
  .readonly();
export type WorkerShare = z.infer<typeof workerShareSchema>;

/** Parent to child. `start` is the first message, sent once; the child starts exactly `shares.length` workers. */
export const toProxySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('start'),
    shares: z.array(workerShareSchema).min(1).max(MAX_WORKERS).readonly(),
    /** `DivertedServer.activePort` comes out of this range. */
    active: portRangeSchema,
  }),
  z.strictObject({
    kind: z.literal('answer'),
    id: z.number().int().min(0).max(0xffff_ffff),
    answer: privopAnswerSchema,
  }),
  /**
   * End within the grace: stop accepting, let sessions finish, reset the clients of those that have not (what they send after
   * the rules are gone would leave in clear), exit 0. SIGTERM means the same (the supervisor has died, and
   * this channel is closed); SIGINT is to be ignored, because a Ctrl-C reaches both processes.
   */
  z.strictObject({ kind: z.literal('stop'), graceMs: z.number().int().min(0) }),
  /** Read again what the administrator may change while the daemon runs: the folder keys.d. */
  z.strictObject({ kind: z.literal('reload') }),
  /** Whether the child still answers; `pong` does. One that does not is killed. Sent only after `workersReady`. */
  z.strictObject({ kind: z.literal('ping'), number: beatSchema }),
  /** Another program removed rules of ftpseal, and they were put back; or could not be. For `status`. */
  z.strictObject({ kind: z.literal('rulesRepaired'), by: z.string().max(64).optional() }),
  z.strictObject({ kind: z.literal('rulesLost'), sentence: z.string().max(2048) }),
  /** Work on as before, and end as at `stop` once no session is left, at the latest after that time. */
  z.strictObject({ kind: z.literal('retire'), withinMs: z.number().int().min(0) }),
]);
export type ToProxy = z.infer<typeof toProxySchema>;
export type RuleNews = Extract<ToProxy, { readonly kind: 'rulesRepaired' | 'rulesLost' }>;
export type StartMessage = Extract<ToProxy, { readonly kind: 'start' }>;

/** The child's life as the supervisor sees it. */
export type ProxyPhase = 'starting' | 'running' | 'stopping';

const permittedIn: Readonly<Record<PrivopRequest['kind'], readonly ProxyPhase[]>> = {
  workersReady: ['starting', 'running'],
  setServers: ['running'],
  pong: ['running'],
  programOf: ['running'],
  // The first connection may be accepted before the supervisor has counted the redirect as made.
  originOf: ['starting', 'running'],
  lookups: ['starting', 'running'],
};

/**
 * Checks one message of the child. Returns the request, or `undefined` for one that arrives while the child is
 * being stopped; throws a Fault of code `protocol` for everything that is not permitted: the caller kills the child.
 */
export function admitRequest(
  message: unknown,
  phase: ProxyPhase,
  start: Pick<StartMessage, 'shares' | 'active'>,
): ToSupervisor | undefined {
  const parsed = toSupervisorSchema.safeParse(message);
  if (!parsed.success) throw notPermitted(`a malformed request: ${z.prettifyError(parsed.error)}`);
  if (phase === 'stopping') return undefined;
  const { request } = parsed.data;
  if (!permittedIn[request.kind].includes(phase)) throw notPermitted(`${request.kind} while ${phase}`);
  if (request.kind === 'workersReady') checkWorkers(request.workers, start.shares);
  if (request.kind === 'setServers') checkServers(request.servers, start.active);
  return parsed.data;
}

function checkWorkers(
  workers: readonly z.infer<typeof workerPortsSchema>[],
  shares: readonly WorkerShare[],
): void {
  if (workers.length !== shares.length) throw notPermitted('workersReady for another number of workers');
  workers.forEach((worker, index) => {
    const share = shares[index];
    const { control, data, dataLast = data } = worker;
    if (dataLast < data) throw notPermitted('a range of ports that ends before it begins');
    if (share === undefined || within(control, { first: data, last: dataLast })) {
      throw notPermitted('one port twice');
    }
    if (![control, data, dataLast].every((port) => within(port, share.listen))) {
      throw notPermitted('a worker port outside its range');
    }
    if (worker.virtual.first !== share.virtual.first || worker.virtual.last !== share.virtual.last) {
      throw notPermitted('virtual data ports that are not this worker’s share');
    }
  });
}

function checkServers(servers: readonly z.infer<typeof divertedServerSchema>[], active: PortRange): void {
  if (new Set(servers.map((server) => server.address)).size !== servers.length) {
    throw notPermitted('setServers with one address twice');
  }
  if (new Set(servers.map((server) => server.activePort)).size !== servers.length) {
    throw notPermitted('setServers with one active port twice');
  }
  if (!servers.every((server) => within(server.activePort, active))) {
    throw notPermitted('an active port outside its range');
  }
}

function within(port: number, range: PortRange): boolean {
  return port >= range.first && port <= range.last;
}

function notPermitted(what: string): Fault {
  return new Fault('protocol', `The proxy process asked for something it may not have (${what}).`);
}
