// TLS on a data connection to a server by direct calls: the handshake, and who the peer proved to be. The same options as tls-client.ts
// takes; no authority is asked, because the control connection's key tells who the server is.
import type { Socket } from 'node:net';
import { Fault } from '../../../shared/fault.js';
import type { KeyFingerprint } from '../../../shared/fingerprint.js';
import { TlsDescriptor, type TlsBeginning } from '../../sys/tls-descriptor.js';
import { HANDSHAKE_MS } from '../../ftp/limits.js';
import { fingerprintOfCertificate } from '../../trust/spki.js';
import type { PeerProof, TlsOptions } from '../tls-client.js';
import { unreadableFault } from '../tls-identity.js';
import { readShownCertificate } from './direct-control.js';
import { directContext } from './direct-contexts.js';
import { DirectEnd } from './direct-end.js';
import { DirectHandshake } from './direct-handshake.js';

/** The server's end of a data connection with TLS on it, its handshake done. */
export interface DirectLink extends PeerProof {
  readonly end: DirectEnd;
  /** Breaks the connection off with a TCP reset and without close_notify. */
  readonly reset: () => void;
}

export type DirectTlsOptions = Pick<TlsOptions, 'minVersion' | 'group' | 'handshakeMs'> & TlsBeginning;

/** TLS on its way. */
export interface DirectTls {
  /** Rejects with one Fault of code `network`, the socket then destroyed; never before `begin`. */
  readonly link: Promise<DirectLink>;
  /** Lets the server see the first message, which is ready, and goes on. Idempotent. */
  readonly begin: () => void;
}

/**
 * Prepares TLS as the client on a connected socket from which nobody has read. Undefined where it can't be done this way: then the
 * socket is untouched. Who destroys the socket ends it.
 */
export function openDirectTls(raw: Socket, options: DirectTlsOptions): DirectTls | undefined {
  const context = raw.bytesRead === 0 ? directContext({ ...options, vouching: 'none' }) : undefined;
  const end = context === undefined ? undefined : DirectEnd.on(raw);
  if (context === undefined || end === undefined) return undefined;
  const tls = new TlsDescriptor(context, end.fd, options);
  const handshake = new DirectHandshake(end, tls);
  return {
    link: handshake.done.then(() => provenLink(end, tls)),
    begin: () => {
      handshake.begin(options.handshakeMs ?? HANDSHAKE_MS);
    },
  };
}

function provenLink(end: DirectEnd, tls: TlsDescriptor): DirectLink {
  const reused = tls.isResumed();
  const fingerprint = reused ? undefined : shownKey(end, tls);
  return {
    end,
    reused: () => reused,
    peerFingerprint: () => fingerprint,
    reset: () => {
      end.reset();
    },
  };
}

function shownKey(end: DirectEnd, tls: TlsDescriptor): KeyFingerprint {
  try {
    return fingerprintOfCertificate(readShownCertificate(tls));
  } catch (error) {
    end.close();
    throw error instanceof Fault && error.code === 'network' ? error : unreadableFault(error);
  }
}
