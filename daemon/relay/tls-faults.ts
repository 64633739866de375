// Why a TLS handshake failed, as a sentence for people.
import { Fault } from '../../shared/fault.js';

const SENTENCES: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'The server agreed to TLS but then did not speak it.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'The server agreed to TLS but then did not speak it.',
  ERR_SSL_UNSUPPORTED_PROTOCOL:
    'The server only speaks an older version of TLS than is allowed (tls.min_version may be lowered for it).',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION:
    'The server speaks no version of TLS that is allowed (tls.min_version may be lowered for it).',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'The server and ftpseal have no TLS cipher in common.',
  ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
    'The server only has an old, unsafe form of TLS (tls.min_version may be lowered for it).',
  ERR_SSL_EXCESSIVE_MESSAGE_SIZE: 'The server sent a chain of certificates too large to be meant seriously.',
  ECONNRESET: 'The server closed the connection during the TLS handshake.',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: 'The server closed the connection during the TLS handshake.',
  EPIPE: 'The server closed the connection during the TLS handshake.',
};

/** The fault of a failed handshake; the error of TLS or the socket stays attached as its cause. */
export function handshakeFault(error: NodeJS.ErrnoException | undefined): Fault {
  const sentence = SENTENCES[error?.code ?? 'ECONNRESET'];
  if (sentence !== undefined) return new Fault('network', sentence, error);
  // The text of an alert or of OpenSSL, and short; control characters can't be in it but cost nothing to remove.
  const detail = (error?.message ?? '').replace(/\p{Cc}+/gu, ' ').slice(0, 200);
  return new Fault('network', `The TLS handshake with the server failed: ${detail}`, error);
}
