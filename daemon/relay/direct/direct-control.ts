// TLS on the control connection by direct calls: as `openTls` does it with Node's, with the same proofs.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TlsDescriptor } from '../../sys/tls-descriptor.js';
import { HANDSHAKE_MS } from '../../ftp/limits.js';
import type { Ending } from '../guarded-transport.js';
import type { Established, Handshake, PeerProof, TlsOptions } from '../tls-client.js';
import { parseGroup, type KeyExchangeGroup } from '../tls-context.js';
import { CERTIFICATE_MAX, readIdentity, tooLargeFault, unreadableFault } from '../tls-identity.js';
import { directContext } from './direct-contexts.js';
import { DirectEnd } from './direct-end.js';
import { DirectHandshake } from './direct-handshake.js';
import { DirectStream } from './direct-stream.js';

/** As TlsLink; `session` is for the server's data connections. */
export interface DirectControl extends PeerProof {
  readonly stream: Duplex;
  /** Rejects with one Fault of code `network`; the connection is then gone. May be ignored. */
  readonly established: Promise<Established>;
  /** What data connections resume; has nothing to give once the stream is destroyed. */
  readonly session: () => TlsDescriptor;
  readonly group: () => KeyExchangeGroup | undefined;
  readonly ending: () => Ending;
  /** Breaks the connection off with a TCP reset and without close_notify. */
  readonly reset: () => void;
}

/**
 * Starts TLS as the client on a connected socket, which is destroyed: its connection is the stream's from here on. Undefined where it can't be done this way, and
 * where the server spoke before its turn: then the socket is only paused.
 */
export function openDirectControl(raw: Socket, options: TlsOptions): DirectControl | undefined {
  const context = directContext(options);
  const end = context === undefined ? undefined : DirectEnd.takeOver(raw);
  if (context === undefined || end === undefined) return undefined;
  const tls = new TlsDescriptor(context, end.fd, options);
  const stream = new DirectStream(end);
  stream.on('error', () => undefined);
  const handshake = new DirectHandshake(end, tls);
  let done: Handshake | undefined;
  const established = handshake.done.then(
    () => {
      done = shownIn(stream, tls, options.servername);
      stream.attach();
      return done.established;
    },
    (error: unknown) => {
      stream.destroy();
      throw error;
    },
  );
  established.catch(() => undefined);
  handshake.begin(options.handshakeMs ?? HANDSHAKE_MS);
  return {
    stream,
    established,
    session: () => tls,
    group: () => done?.group,
    reused: () => done?.established.kind === 'resumed',
    peerFingerprint: () => done?.fingerprint,
    ending: () => stream.ending(),
    reset: () => {
      end.reset();
      stream.destroy();
    },
  };
}

/** Destroys the stream when the certificate is no good. */
function shownIn(stream: Duplex, tls: TlsDescriptor, servername: string | undefined): Handshake {
  const [protocol, cipher] = [tls.protocol(), tls.cipher()];
  if (tls.isResumed())
    return { established: { kind: 'resumed', protocol, cipher }, fingerprint: undefined, group: undefined };
  try {
    const certificate = readShownCertificate(tls);
    const isChainValid = tls.isChainValid();
    const { identity, fingerprint } = readIdentity({
      certificate,
      isChainValid,
      servername,
      protocol,
      cipher,
    });
    return { established: { kind: 'full', identity }, fingerprint, group: parseGroup(tls.group()) };
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** The certificate of a handshake that resumed nothing. Throws a Fault of code `network` for one that is too large, or none. */
export function readShownCertificate(tls: TlsDescriptor): Buffer {
  const certificate = tls.peerCertificate(CERTIFICATE_MAX);
  if (certificate === 'tooLarge') throw tooLargeFault();
  if (certificate === undefined) throw unreadableFault(undefined);
  return certificate;
}
