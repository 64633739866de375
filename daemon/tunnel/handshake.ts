// TLS on a connected socket, in either role: the handshake, what the other end showed, and the leg for the relay.
import { constants, X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { Fault } from '../../shared/fault.js';
import { GuardedTransport } from '../relay/guarded-transport.js';
import { fingerprintOfCertificate } from '../trust/spki.js';
import type { Credentials } from './credentials.js';
import { tlsLeg, type Leg } from './leg.js';
import type { Method } from './method.js';
import type { PeerFacts } from './peer-verdict.js';
import type { Role } from './plan.js';

export interface HandshakeOptions {
  readonly role: Role;
  /** A server needs some; a client shows them if the server asks. */
  readonly credentials: Credentials | undefined;
  /** PEM texts; undefined: Node's own list. */
  readonly authorities: readonly string[] | undefined;
  /** Only this version; undefined: TLS 1.2 and newer. */
  readonly method: Method | undefined;
  /** A server asks for the client's certificate. */
  readonly asksForCertificate: boolean;
  /** The name or the address that the server's certificate has to be made out to; undefined: no name is compared. */
  readonly name: string | undefined;
  readonly handshakeMs: number;
}

/** An established connection whose other end is still to be judged. Nothing was read of it yet. */
export interface Secured {
  readonly leg: Leg;
  readonly facts: PeerFacts;
  /** `TLSv1.3, TLS_AES_256_GCM_SHA384`. */
  readonly protocol: string;
}

/** Does the handshake. Rejects with a Fault of code `network`; the socket is gone then. */
export async function secure(raw: net.Socket, options: HandshakeOptions): Promise<Secured> {
  const transport = new GuardedTransport(raw, { outlastsRaw: true });
  const stream = await within(options.handshakeMs, transport, (resolve, reject) => {
    if (options.role === 'client') startClient(transport, options, resolve, reject);
    else startServer(transport, options, resolve, reject);
  });
  return {
    leg: tlsLeg(stream, transport, raw),
    facts: factsOf(stream, options.name),
    protocol: `${stream.getProtocol() ?? 'unknown'}, ${stream.getCipher().standardName}`,
  };
}

type Start = (resolve: (stream: tls.TLSSocket) => void, reject: (fault: Fault) => void) => void;

function within(ms: number, transport: GuardedTransport, start: Start): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const fail = (fault: Fault): void => {
      clearTimeout(timer);
      transport.destroy();
      reject(fault);
    };
    const timer = setTimeout(() => {
      fail(new Fault('network', 'The other end did not complete the TLS handshake in time.'));
    }, ms);
    start((stream) => {
      clearTimeout(timer);
      resolve(stream);
    }, fail);
  });
}

const startClient = (
  transport: GuardedTransport,
  options: HandshakeOptions,
  ...[resolve, reject]: Parameters<Start>
) => {
  const { name } = options;
  const stream = tls.connect({
    socket: transport,
    secureContext: contextOf(options),
    // The verdict is the caller's, who knows keys that no authority vouches for.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(name === undefined ? {} : net.isIP(name) === 0 ? { host: name, servername: name } : { host: name }),
  });
  transport.guard(stream);
  const onError = (error: NodeJS.ErrnoException): void => {
    reject(handshakeFault('server', error));
  };
  const onClose = (): void => {
    reject(handshakeFault('server', undefined));
  };
  stream.once('error', onError).once('close', onClose);
  stream.once('secureConnect', () => {
    stream.off('error', onError).off('close', onClose);
    resolve(stream);
  });
};

const startServer = (
  transport: GuardedTransport,
  options: HandshakeOptions,
  ...[resolve, reject]: Parameters<Start>
) => {
  const server = tls.createServer({
    ...contextOptions(options),
    requestCert: options.asksForCertificate,
    rejectUnauthorized: false,
  });
  server.once('secureConnection', (stream) => {
    transport.guard(stream);
    resolve(stream.pause());
  });
  server.once('tlsClientError', (error: NodeJS.ErrnoException) => {
    reject(handshakeFault('client', error));
  });
  // Documented for every Duplex; it never listens.
  server.emit('connection', transport);
};

function contextOf(options: HandshakeOptions): tls.SecureContext {
  return tls.createSecureContext(contextOptions(options));
}

function contextOptions({ credentials, authorities, method }: HandshakeOptions): tls.SecureContextOptions {
  return {
    minVersion: method ?? 'TLSv1.2',
    maxVersion: method ?? 'TLSv1.3',
    // A second handshake could show another certificate after the verdict on the first.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...(credentials ?? {}),
    ...(authorities === undefined ? {} : { ca: [...authorities] }),
  };
}

const LEVELS_MAX = 32;

function factsOf(stream: tls.TLSSocket, name: string | undefined): PeerFacts {
  const shown = stream.getPeerCertificate(true);
  // Absent as an empty object.
  if (!Buffer.isBuffer(shown.raw)) return { kind: 'none' };
  const certificate = new X509Certificate(shown.raw);
  const now = Date.now();
  return {
    kind: 'shown',
    fingerprint: fingerprintOfCertificate(shown.raw),
    chainError: stream.authorized ? undefined : String(stream.authorizationError),
    isInTime: now >= Date.parse(certificate.validFrom) && now <= Date.parse(certificate.validTo),
    nameError: name === undefined ? undefined : nameErrorOf(name, shown),
    depth: depthOf(shown),
  };
}

function nameErrorOf(name: string, shown: tls.PeerCertificate): string | undefined {
  try {
    return tls.checkServerIdentity(name, shown)?.message;
  } catch (error) {
    // Names in a form that Node refuses to read prove nothing.
    return error instanceof Error ? error.message : String(error);
  }
}

function depthOf(shown: tls.DetailedPeerCertificate): number {
  let depth = 0;
  for (let one = shown; depth < LEVELS_MAX; depth += 1) {
    // Absent where the chain is not whole, itself where it ends.
    if (!Object.hasOwn(one, 'issuerCertificate')) break;
    const above = one.issuerCertificate;
    if (above.raw.equals(one.raw)) break;
    one = above;
  }
  return depth;
}

const SENTENCES: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS here',
  ERR_SSL_HTTP_REQUEST: 'does not speak TLS but HTTP',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'does not speak TLS here',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'speaks no version of TLS that is allowed here',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'speaks no version of TLS that is allowed here',
  ERR_SSL_NO_SHARED_CIPHER: 'has no cipher in common with this end',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'has no cipher in common with this end',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'does not trust this end’s certificate',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'refuses this end’s certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'refuses this end’s certificate',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'wants a certificate from this end (-C)',
  ECONNRESET: 'closed the connection during the TLS handshake',
  EPIPE: 'closed the connection during the TLS handshake',
};

function handshakeFault(peer: 'server' | 'client', error: NodeJS.ErrnoException | undefined): Fault {
  const known = SENTENCES[error?.code ?? 'ECONNRESET'];
  const detail = (error?.message ?? '').replace(/\p{Cc}+/gu, ' ').slice(0, 200);
  return new Fault('network', `The ${peer} ${known ?? `failed in the TLS handshake: ${detail}`}.`, error);
}
