// One transfer between real sockets, for the tests of the pump: a client, the pump, and a server of each kind of leg.
import { createHash } from 'node:crypto';
import net from 'node:net';
import { after } from 'node:test';
import type { DataOutcome } from '../../../daemon/ftp/data-outcome.js';
import { pump, pumpStreams, type PumpOptions } from '../../../daemon/relay/data-pump.js';
import { openDirectTls, type DirectLink } from '../../../daemon/relay/direct/direct-tls.js';
import { openTls, type TlsLink, type TlsOptions } from '../../../daemon/relay/tls-client.js';
import { makeCertificates } from './certificate-fixture.js';
import { connectClient, dial, listen, payload, readAll, serveTls, type Listener } from './socket-fixture.js';

export const certificates = makeCertificates();
after(certificates.remove);
export const base: TlsOptions = {
  host: '192.0.2.1',
  minVersion: 'TLSv1.2',
  authorities: certificates.authority,
};
export const file = payload(3_000_000);

const STREAMS = ['plain', 'plain bulk', 'TLSv1.2', 'TLSv1.3'] as const;
const DIRECT = ['direct plain', 'direct TLSv1.2', 'direct TLSv1.3'] as const;
/** The legs of streams everywhere, the direct ones where there are any. */
export const LEGS: readonly LegKind[] = process.platform === 'linux' ? [...STREAMS, ...DIRECT] : STREAMS;
/** Those with TLS. */
export const TLS_LEGS: readonly LegKind[] = LEGS.filter((kind) => kind.includes('TLS'));
export type LegKind = (typeof STREAMS)[number] | (typeof DIRECT)[number];
export type Leg = net.Socket | TlsLink | DirectLeg;

interface DirectLeg extends DirectLink {
  readonly raw: net.Socket;
}

/** What shows to a test how a leg's connection stands. */
export function streamOf(leg: Leg): net.Socket {
  if (leg instanceof net.Socket) return leg;
  return 'raw' in leg ? leg.raw : leg.stream;
}

/** Moves the bytes in the way that this kind of leg stands for. */
export function pumpLeg(kind: LegKind, options: PumpOptions): Promise<DataOutcome> {
  const { server } = options;
  const isPlain = server instanceof net.Socket && !kind.startsWith('direct');
  return isPlain ? pumpStreams({ ...options, server }) : pump(options);
}

/** A server of one data connection. The socket is a TLS or a plain one, used the same. */
export function serve(kind: LegKind, use: (socket: net.Socket) => void): Promise<Listener> {
  const quiet = (socket: net.Socket): void => {
    socket.on('error', () => undefined);
    use(socket);
  };
  if (kind.includes('plain')) return listen(net.createServer({ allowHalfOpen: true, noDelay: true }, quiet));
  const version = kind.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3';
  return serveTls(certificates.server, { minVersion: version, maxVersion: version }, quiet);
}

export async function openLeg(kind: LegKind, port: number): Promise<Leg> {
  if (kind === 'plain') {
    const socket = await dial(port);
    return socket.pause();
  }
  const raw = await dial(port, 'bulk');
  if (kind.includes('plain')) return raw;
  if (kind.startsWith('direct')) {
    const link = openDirectTls(raw, base);
    if (link === undefined) throw new Error('OpenSSL can not be called directly here');
    link.begin();
    return { ...(await link.link), raw };
  }
  const link = openTls(raw, base);
  await link.established;
  return link;
}

export interface Run {
  readonly outcome: Promise<DataOutcome>;
  /** The client program's end. */
  readonly far: net.Socket;
  readonly near: net.Socket;
  readonly server: Leg;
  readonly counted: () => number;
  readonly close: () => Promise<void>;
}

export async function start(
  direction: PumpOptions['direction'],
  kind: LegKind,
  port: number,
  more: Partial<PumpOptions> = {},
): Promise<Run> {
  const { near, far, close } = await connectClient();
  const server = await openLeg(kind, port);
  let counted = 0;
  const onBytes = (count: number): void => {
    counted += count;
  };
  const outcome = pumpLeg(kind, { client: near, server, direction, onBytes, ...more });
  return { outcome, far, near, server, counted: () => counted, close };
}

export const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export function sendForever(socket: net.Socket): void {
  socket.write(file, (error) => {
    if (error === undefined || error === null) sendForever(socket);
  });
}

export async function serveOne(kind: LegKind): Promise<{ accepted: Promise<net.Socket>; server: Listener }> {
  let resolve: ((socket: net.Socket) => void) | undefined;
  const accepted = new Promise<net.Socket>((resolvePromise) => (resolve = resolvePromise));
  return { accepted, server: await serve(kind, (socket) => resolve?.(socket)) };
}

/** A server that receives one file and answers its end with its own. */
export async function collect(kind: LegKind): Promise<{
  readonly received: Promise<{ bytes: Buffer; ended: boolean }>;
  readonly server: Listener;
}> {
  const { accepted, server } = await serveOne(kind);
  const received = accepted.then(async (socket) => {
    const got = await readAll(socket);
    socket.end();
    return got;
  });
  return { received, server };
}
