// TLS as the server, towards FTP clients: one handshake, what the client proved by it, and how the stream ended.
import { X509Certificate } from 'node:crypto';
import type net from 'node:net';
import tls from 'node:tls';
import { z } from 'zod';
import { Fault } from '../../shared/fault.js';
import { HANDSHAKE_MS } from '../ftp/limits.js';
import { GuardedTransport } from '../relay/guarded-transport.js';
import { resetSocket } from '../relay/reset-socket.js';
import type { SecuredStream } from '../relay/server-leg.js';

/** What a connection is secured with. */
export interface TlsTerms {
  readonly context: tls.SecureContext;
  /** The context for the name that a client asks for; the first one where none fits. */
  readonly contextFor: (servername: string) => tls.SecureContext;
  /** From `createSessionStore`; whoever shares it can resume each other's sessions. */
  readonly sessions: net.Server;
  readonly clientCertificate: 'ignored' | 'checked' | 'required';
}

/** What is known of the client after the handshake. */
export interface ClientProof {
  /** It resumed a session, which it can only have from a connection with the same context or store. */
  readonly resumed: boolean;
  /** SHA-256 of its certificate, checked; undefined if it showed none. */
  readonly certificate: string | undefined;
  readonly protocol: string;
  readonly cipher: string;
}

export interface AcceptedTls extends SecuredStream {
  /** Rejects with one Fault of code `network`; the connection is then gone. May be ignored. */
  readonly established: Promise<ClientProof>;
}

/** Node tells nobody whether a client's certificate was good but `tls.Server`, which takes no single connection. */
const verifying = z.object({
  _handle: z.custom<{ verifyError: () => unknown }>(
    (handle) => typeof handle === 'object' && handle !== null && 'verifyError' in handle,
  ),
});

/**
 * Starts TLS as the server on a raw socket that has no other listener for its bytes. The result owns the socket from
 * here on. No `error` of the socket or of TLS is ever uncaught.
 */
export function acceptTls(raw: net.Socket, terms: TlsTerms): AcceptedTls {
  const transport = new GuardedTransport(raw);
  const stream = newServerStream(transport, terms);
  transport.guard(stream);
  let failure: unknown;
  // Outside a tls.Server this is the only word about what went wrong, and the stream would stay open.
  stream.on('_tlsError', (error: unknown) => {
    failure ??= error;
    stream.destroy(error instanceof Error ? error : undefined);
  });
  stream.on('error', (error) => {
    failure ??= error;
    stream.destroy();
  });
  const established = handshake(stream, terms, () => failure);
  established.catch(() => undefined);
  return {
    stream,
    established,
    ending: () => transport.ending(),
    reset: () => {
      resetSocket(raw);
      stream.destroy();
    },
  };
}

/** The types of Node know this constructor for sockets only; it takes any duplex stream, as tls.connect does. */
function newServerStream(transport: GuardedTransport, terms: TlsTerms): tls.TLSSocket {
  const options: tls.TLSSocketOptions = {
    isServer: true,
    secureContext: terms.context,
    server: terms.sessions,
    requestCert: terms.clientCertificate !== 'ignored',
    // Judged in `proofOf`: Node leaves that to tls.Server.
    rejectUnauthorized: false,
    SNICallback: (servername, done) => {
      done(null, terms.contextFor(servername));
    },
  };
  const made: unknown = Reflect.construct(tls.TLSSocket, [transport, options]);
  if (made instanceof tls.TLSSocket) return made;
  throw new TypeError('Node made no TLSSocket');
}

function handshake(stream: tls.TLSSocket, terms: TlsTerms, failure: () => unknown): Promise<ClientProof> {
  return new Promise((resolve, reject) => {
    const fail = (fault: Fault): void => {
      settle();
      stream.destroy();
      reject(fault);
    };
    const onSecure = (): void => {
      settle();
      try {
        resolve(proofOf(stream, terms));
      } catch (error) {
        fail(Fault.from(error, 'network'));
      }
    };
    const onClose = (): void => {
      fail(new Fault('network', reasonOf(failure()), failure()));
    };
    const timer = setTimeout(() => {
      fail(new Fault('network', 'the client did not complete the TLS handshake in time'));
    }, HANDSHAKE_MS);
    const settle = (): void => {
      clearTimeout(timer);
      stream.off('secure', onSecure).off('end', onClose).off('close', onClose);
    };
    // A client that ends its side before it has finished the handshake leaves the connection open for ours.
    stream.once('secure', onSecure).once('end', onClose).once('close', onClose);
  });
}

function proofOf(stream: tls.TLSSocket, { clientCertificate }: TlsTerms): ClientProof {
  const certificate = clientCertificate === 'ignored' ? undefined : checkedCertificate(stream);
  if (clientCertificate === 'required' && certificate === undefined)
    throw new Fault('network', 'the client showed no certificate');
  return {
    resumed: stream.isSessionReused(),
    certificate,
    protocol: stream.getProtocol() ?? 'unknown',
    cipher: stream.getCipher().name,
  };
}

/** Fails closed: a Node without `verifyError` refuses every certificate. */
function checkedCertificate(stream: tls.TLSSocket): string | undefined {
  // Typed as an object, but empty without a certificate.
  const raw: unknown = stream.getPeerCertificate().raw;
  if (!Buffer.isBuffer(raw)) return undefined;
  const { _handle: handle } = verifying.parse(stream);
  const error = handle.verifyError();
  if (error !== null && error !== undefined) {
    const detail = error instanceof Error ? error.message : 'unknown reason';
    throw new Fault('network', `the client’s certificate is not accepted (${detail})`, error);
  }
  return new X509Certificate(raw).fingerprint256;
}

const REASONS: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'the client spoke something else than TLS',
  ERR_SSL_HTTP_REQUEST: 'the client spoke something else than TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the client speaks only versions of TLS that are not allowed (min_version)',
  ERR_SSL_NO_SHARED_CIPHER: 'the client and this server have no TLS cipher in common (ciphers)',
};

function reasonOf(error: unknown): string {
  if (error === undefined) return 'the client closed the connection during the TLS handshake';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const detail = error instanceof Error ? error.message.replace(/\p{Cc}+/gu, ' ').slice(0, 200) : '';
  return REASONS[code] ?? `the TLS handshake with the client failed: ${detail}`;
}
