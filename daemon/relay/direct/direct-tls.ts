// TLS on a data connection to a server by direct calls: the handshake, and who the peer proved to be. The same options as tls-client.ts
// takes; no authority is asked, because the control connection's key tells who the server is.
import type { Socket } from 'node:net';
import { Fault } from '../../../shared/fault.js';
import type { KeyFingerprint } from '../../../shared/fingerprint.js';
import { TlsDescriptor } from '../../sys/tls-descriptor.js';
import { holdSending } from '../../sys/libc.js';
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
  const context = raw.bytesRead === 0 ? directContext(contextSettings(options)) : undefined;
  const end = context === undefined ? undefined : DirectEnd.on(raw);
  if (context === undefined || end === undefined) return undefined;
  const { servername, session, handshakeMs = HANDSHAKE_MS } = options;
  const tls = new TlsDescriptor(context, end.fd, {
    servername,
    session: session === undefined ? undefined : withoutHost(session),
  });
  end.secure(tls);
  const handshake = new Handshake(end, tls);
  return {
    link: handshake.done.then(() => provenLink(end, tls)),
    begin: () => {
      handshake.begin(handshakeMs);
    },
  };
}

/** From the first message, which the kernel holds until `begin`. */
class Handshake {
  readonly done: Promise<void>;
  readonly #end: DirectEnd;
  readonly #tls: TlsDescriptor;
  #state: ReturnType<TlsDescriptor['handshake']>;
  #isGone = false;
  #timer: NodeJS.Timeout | undefined;
  #resolve: () => void = () => undefined;
  #reject: (fault: Fault) => void = () => undefined;

  constructor(end: DirectEnd, tls: TlsDescriptor) {
    this.#end = end;
    this.#tls = tls;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    end.use({
      onReady: () => {
        this.#state = tls.handshake();
        this.#goOn();
      },
      onGone: () => {
        this.#isGone = true;
        if (this.#timer !== undefined) this.#fail(handshakeFault(undefined));
      },
    });
    holdSending(end.fd, 'hold');
    this.#state = tls.handshake();
  }

  begin(milliseconds: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#fail(new Fault('network', 'The server did not complete the TLS handshake in time.'));
    }, milliseconds);
    if (this.#isGone) {
      this.#fail(handshakeFault(undefined));
      return;
    }
    holdSending(this.#end.fd, 'send');
    this.#goOn();
  }

  #goOn(): void {
    switch (this.#state) {
      case 'waitsToRead':
        this.#end.want('readable');
        break;
      case 'waitsToWrite':
        this.#end.want('writable');
        break;
      case 'broken':
        this.#fail(handshakeFault(tlsError(this.#tls)));
        break;
      case 'done':
        clearTimeout(this.#timer);
        this.#end.want('nothing');
        this.#resolve();
        break;
    }
  }

  #fail(fault: Fault): void {
    clearTimeout(this.#timer);
    this.#end.close();
    this.#reject(fault);
  }
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
