// TLS towards a server, on control and data connections: one handshake, who the server proved to be, its newest session
// for the next handshake, and how the stream ended. Trust is decided elsewhere; no certificate is refused here.
import type net from 'node:net';
import tls from 'node:tls';
import { Fault } from '../../shared/fault.js';
import type { KeyFingerprint } from '../../shared/fingerprint.js';
import type { TlsVersion } from '../../shared/policy.js';
import type { ServerIdentity } from '../../shared/trust.js';
import { HANDSHAKE_MS } from '../ftp/limits.js';
import { GuardedTransport, type Ending } from './guarded-transport.js';
import { resetSocket } from './reset-socket.js';
import { clientContext, parseGroup, type KeyExchangeGroup } from './tls-context.js';
import { handshakeFault } from './tls-faults.js';
import { readIdentity } from './tls-identity.js';
import { withoutCertificate } from './tls-session.js';

export interface TlsOptions {
  /**
   * The server as the session knows it, normally its address. Must be the same on a session's control and data
   * connections, and so must `servername`: Node offers a session only to the host that it came from.
   */
  readonly host: string;
  /** The server's name for SNI and for the authorities' check; never an address. */
  readonly servername?: string | undefined;
  /** A session of an earlier connection to resume. */
  readonly session?: Buffer | undefined;
  readonly minVersion: TlsVersion;
  /** The group of an earlier handshake with this server. */
  readonly group?: KeyExchangeGroup | undefined;
  /** None by default: older servers trip over it. */
  readonly alpn?: 'ftp' | 'ftp-data' | undefined;
  /** PEM certificates to trust instead of the machine's authorities. */
  readonly authorities?: string | undefined;
  /** PEM certificates to trust besides the machine's authorities. */
  readonly furtherAuthorities?: string | undefined;
  /** No authority is asked and `caValidFor` stays undefined: for data connections, whose peer `provenPeer` tells. */
  readonly vouching?: 'none' | undefined;
  /** Milliseconds for the handshake. */
  readonly handshakeMs?: number | undefined;
}

/** How a handshake ended. A resumed one shows no certificate: whoever the session came from is the peer. */
export type Established =
  | { readonly kind: 'full'; readonly identity: ServerIdentity }
  | { readonly kind: 'resumed'; readonly protocol: string; readonly cipher: string };

/** What a handshake proved of the peer. */
export interface PeerProof {
  /** The given session was resumed. */
  readonly reused: () => boolean;
  /** The key that the server showed in this very handshake; `undefined` before it and when it was resumed. */
  readonly peerFingerprint: () => KeyFingerprint | undefined;
}

/** One TLS connection to a server. */
export interface TlsLink extends PeerProof {
  /**
   * The plain text. Nothing may be written before `established`. It never ends its own side by itself: on `end` the owner
   * calls `end()` (close_notify and FIN) or `reset()`. Its `error` events may be ignored; `close` follows each.
   */
  readonly stream: tls.TLSSocket;
  /** Rejects with one Fault of code `network`; the connection is then gone. May be ignored. */
  readonly established: Promise<Established>;
  /** The newest session of the server; `undefined` until the first came (TLS 1.3: some time after the handshake). */
  readonly newestSession: () => Buffer | undefined;
  /** The group of the key exchange; `undefined` before the handshake, for a resumed one and for one without such a group. */
  readonly group: () => KeyExchangeGroup | undefined;
  readonly ending: () => Ending;
  /** Breaks the connection off with a TCP reset and without close_notify: the server must not take it for the end of a file. */
  readonly reset: () => void;
}

/**
 * Starts TLS as the client on a raw socket that has no other listener for its bytes, connected or connecting; a bulk
 * socket makes it faster. The link owns the socket from here on: nobody else may destroy it. No `error` of the socket or of TLS is ever uncaught.
 */
export function openTls(raw: net.Socket, options: TlsOptions): TlsLink {
  const transport = new GuardedTransport(raw);
  const stream = connectTls(transport, options);
  transport.guard(stream);
  let session: Buffer | undefined;
  stream.on('session', (newest) => {
    session = withoutCertificate(newest);
  });
  // Renegotiation is off, but an error that comes after the handshake leaves the stream open.
  stream.on('error', () => {
    stream.destroy();
  });
  let done: Handshake | undefined;
  const established = handshake(stream, options).then((result) => {
    done = result;
    return result.established;
  });
  established.catch(() => undefined);
  return {
    stream,
    established,
    newestSession: () => session,
    group: () => done?.group,
    reused: () => done?.established.kind === 'resumed',
    peerFingerprint: () => done?.fingerprint,
    ending: () => transport.ending(),
    reset: () => {
      resetSocket(raw);
      stream.destroy();
    },
  };
}

/**
 * The peer of a data connection is the server of the control connection: it resumed that connection's session, which only
 * its own key could open, or it showed the same key. Ask after `established`.
 */
export function provenPeer(link: PeerProof, controlFingerprint: KeyFingerprint): boolean {
  return link.reused() || link.peerFingerprint() === controlFingerprint;
}

function connectTls(transport: GuardedTransport, options: TlsOptions): tls.TLSSocket {
  return tls.connect({
    socket: transport,
    host: options.host,
    secureContext: clientContext(options),
    // The verdict on the key decides, and it also knows keys that no authority vouches for.
    rejectUnauthorized: false,
    // Judged in `caValidFor`; `authorized` then tells about the chain alone.
    checkServerIdentity: () => undefined,
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.session === undefined ? {} : { session: options.session }),
    ...(options.alpn === undefined ? {} : { ALPNProtocols: [options.alpn] }),
  });
}

/** What a handshake came to. */
export interface Handshake {
  readonly established: Established;
  readonly fingerprint: KeyFingerprint | undefined;
  readonly group: KeyExchangeGroup | undefined;
}

function handshake(stream: tls.TLSSocket, options: TlsOptions): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const fail = (fault: Fault): void => {
      settle();
      stream.destroy();
      reject(fault);
    };
    const onSecure = (): void => {
      settle();
      try {
        resolve(readHandshake(stream, options.servername));
      } catch (error) {
        fail(Fault.from(error));
      }
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      fail(handshakeFault(error));
    };
    const onClose = (): void => {
      fail(handshakeFault(undefined));
    };
    const timer = setTimeout(() => {
      fail(new Fault('network', 'The server did not complete the TLS handshake in time.'));
    }, options.handshakeMs ?? HANDSHAKE_MS);
    const settle = (): void => {
      clearTimeout(timer);
      stream.off('secureConnect', onSecure).off('error', onError).off('close', onClose);
    };
    stream.once('secureConnect', onSecure).once('error', onError).once('close', onClose);
  });
}

function readHandshake(stream: tls.TLSSocket, servername: string | undefined): Handshake {
  const protocol = stream.getProtocol() ?? 'unknown';
  const cipher = stream.getCipher().name;
  if (stream.isSessionReused()) {
    return {
      established: { kind: 'resumed', protocol, cipher },
      fingerprint: undefined,
      group: undefined,
    };
  }
  // Not getPeerX509Certificate: on Node 20 it takes the certificate away from every later call.
  const certificate = stream.getPeerCertificate().raw;
  const isChainValid = stream.authorized;
  const { identity, fingerprint } = readIdentity({ certificate, isChainValid, servername, protocol, cipher });
  return { established: { kind: 'full', identity }, fingerprint, group: groupOf(stream) };
}

function groupOf(stream: tls.TLSSocket): KeyExchangeGroup | undefined {
  const info = stream.getEphemeralKeyInfo();
  return info !== null && 'name' in info ? parseGroup(info.name) : undefined;
}
