// TLS on a data connection to a server by direct calls: the handshake, and who the peer proved to be. The same options as tls-client.ts
// takes; no authority is asked, because the control connection's key tells who the server is.
import type { Socket } from 'node:net';
import { Fault } from '../../../shared/fault.js';
import type { KeyFingerprint } from '../../../shared/fingerprint.js';
import { TlsDescriptor, type TlsContext } from '../../sys/tls-descriptor.js';
import { HANDSHAKE_MS } from '../../ftp/limits.js';
import { fingerprintOfCertificate } from '../../trust/spki.js';
import { CERTIFICATE_MAX } from '../certificate-summary.js';
import type { PeerProof, TlsOptions } from '../tls-client.js';
import { contextSettings } from '../tls-context.js';
import { handshakeFault } from '../tls-faults.js';
import { withoutHost } from '../tls-session.js';
import { DirectEnd } from './direct-end.js';
import { directContext } from './direct-contexts.js';

/** The server's end of a data connection with TLS on it, its handshake done. */
export interface DirectLink extends PeerProof {
  readonly end: DirectEnd;
  /** Breaks the connection off with a TCP reset and without close_notify. */
  readonly reset: () => void;
}

export type DirectTlsOptions = Pick<
  TlsOptions,
  'servername' | 'session' | 'minVersion' | 'group' | 'handshakeMs'
>;

/**
 * Starts TLS as the client on a connected socket from which nobody has read. Undefined where it can't be done this way: then the
 * socket is untouched. Rejects with one Fault of code `network`, the socket then destroyed. Who destroys the socket ends it.
 */
export function openDirectTls(raw: Socket, options: DirectTlsOptions): Promise<DirectLink> | undefined {
  const context = raw.bytesRead === 0 ? directContext(contextSettings(options)) : undefined;
  if (context === undefined) return undefined;
  const end = DirectEnd.on(raw);
  if (end === undefined) return Promise.reject(handshakeFault(undefined));
  return secureEnd(end, context, options).then((tls) => provenLink(end, tls));
}

function secureEnd(end: DirectEnd, context: TlsContext, options: DirectTlsOptions): Promise<TlsDescriptor> {
  const { servername, session, handshakeMs = HANDSHAKE_MS } = options;
  const tls = new TlsDescriptor(context, end.fd, {
    servername,
    session: session === undefined ? undefined : withoutHost(session),
  });
  end.secure(tls);
  return new Promise((resolve, reject) => {
    const fail = (fault: Fault): void => {
      clearTimeout(timer);
      end.close();
      reject(fault);
    };
    const onReady = (): void => {
      const state = tls.handshake();
      if (state === 'waitsToRead') end.want('readable');
      else if (state === 'waitsToWrite') end.want('writable');
      else if (state === 'broken') fail(handshakeFault(tlsError(tls)));
      else {
        clearTimeout(timer);
        end.want('nothing');
        resolve(tls);
      }
    };
    const timer = setTimeout(() => {
      fail(new Fault('network', 'The server did not complete the TLS handshake in time.'));
    }, handshakeMs);
    end.use({
      onReady,
      onGone: () => {
        clearTimeout(timer);
        reject(handshakeFault(undefined));
      },
    });
    onReady();
  });
}

function tlsError(tls: TlsDescriptor): NodeJS.ErrnoException | undefined {
  const { failure } = tls;
  if (failure === undefined) return undefined;
  return Object.assign(new Error(failure.replace('ERR_SSL_', '').replaceAll('_', ' ').toLowerCase()), {
    code: failure,
  });
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

function shownKey(end: DirectEnd, tls: TlsDescriptor): KeyFingerprint | undefined {
  const certificate = tls.peerCertificate(CERTIFICATE_MAX);
  if (certificate === undefined) return undefined;
  try {
    if (certificate !== 'tooLarge') return fingerprintOfCertificate(certificate);
  } catch (error) {
    end.close();
    throw new Fault('network', 'The server’s certificate can’t be read.', error);
  }
  end.close();
  throw new Fault('network', 'The server’s certificate is too large to be meant seriously.');
}
