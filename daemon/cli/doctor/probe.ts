// Can a connection to this server be secured? Greeting, AUTH TLS, handshake, and what key came out. Sends no login.
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { formatEndpoint, parseIpAddress, type Endpoint } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';
import type { KeyFingerprint } from '../../../shared/fingerprint.js';
import { clientContext } from '../../relay/tls-context.js';
import { printable } from '../../sys/redact.js';
import { fingerprintOfCertificate } from '../../trust/spki.js';

/** For each step; a server that is slower than that is one that people call broken. */
const stepMs = 15_000;
const maxReply = 64 * 1024;

export interface ProbeResult {
  readonly server: string;
  readonly greeting: string;
  readonly fingerprint: KeyFingerprint;
  readonly protocol: string;
  readonly cipher: string;
  readonly subject: string;
  readonly validTo: string;
  /** Why no authority of this machine vouches for the name; undefined if one does. */
  readonly untrustedBecause: string | undefined;
}

/**
 * `authorities`: PEM, believed besides the machine's. Rejects with a Fault of code `network` that says which step failed and what that means.
 */
export async function probe(
  endpoint: Endpoint,
  name: string | undefined,
  authorities: string | undefined,
): Promise<ProbeResult> {
  const server = formatEndpoint(endpoint);
  const socket = await dial(endpoint, server);
  try {
    const greeting = await readReply(socket, `${server} gave no greeting`);
    if (!greeting.startsWith('220'))
      throw failed(`${server} does not greet like an FTP server: ${printable(greeting)}`);
    socket.write('AUTH TLS\r\n');
    const answer = await readReply(socket, `${server} does not answer AUTH TLS`);
    if (!answer.startsWith('234')) {
      throw failed(`${server} offers no encryption (AUTH TLS: ${printable(answer)})`);
    }
    const tls = await handshake(socket, { host: name ?? endpoint.address, authorities, server });
    const result = describe(tls, server, greeting);
    tls.destroy();
    return result;
  } finally {
    socket.destroy();
  }
}

function dial({ address, port }: Endpoint, server: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const fail = (cause: unknown) => {
      socket.destroy();
      reject(failed(`${server} can’t be reached`, cause));
    };
    socket.setTimeout(stepMs, () => {
      fail(undefined);
    });
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error').on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** The last line of one reply, multi-line or not. Bytes after it are an attack on the handshake that follows. */
function readReply(socket: Socket, otherwise: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (act: () => void) => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose).pause();
      act();
    };
    const onClose = () => {
      end(() => {
        reject(failed(`${otherwise}: it closed the connection`));
      });
    };
    const onData = (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const last = /^([0-9]{3} [^\r\n]*)\r?\n([^]*)$/m.exec(text);
      if (last?.[1] !== undefined) {
        const line = last[1];
        const rest = last[2];
        end(() => {
          if (rest === '') resolve(line);
          else reject(failed(`${otherwise} cleanly: it sent more than its reply`));
        });
      } else if (text.length > maxReply) onClose();
    };
    const timer = setTimeout(() => {
      end(() => {
        reject(failed(`${otherwise} within ${stepMs / 1000} s`));
      });
    }, stepMs);
    socket.on('data', onData).on('close', onClose).resume();
  });
}

interface Peer {
  /** The name or address that the certificate is compared with. */
  readonly host: string;
  readonly authorities: string | undefined;
  /** For sentences. */
  readonly server: string;
}

function handshake(socket: Socket, { host, authorities, server }: Peer): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const isName = parseIpAddress(host) === undefined;
    // What an authority says is reported, not demanded: the key is what is trusted.
    const tls = connectTls({
      socket,
      host,
      secureContext: clientContext({ minVersion: 'TLSv1.2', furtherAuthorities: authorities }),
      rejectUnauthorized: false,
      ...(isName ? { servername: host } : {}),
    });
    const timer = setTimeout(() => tls.destroy(new Error('timed out')), stepMs);
    tls.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(tls);
    });
    tls.once('error', (cause: Error) => {
      clearTimeout(timer);
      reject(
        failed(
          `${server} agreed to encrypt, but the TLS handshake failed (${printable(cause.message)})`,
          cause,
        ),
      );
    });
  });
}

function describe(tls: TLSSocket, server: string, greeting: string): ProbeResult {
  const certificate = tls.getPeerX509Certificate();
  if (certificate === undefined) throw failed(`${server} showed no certificate`);
  const reason: unknown = tls.authorizationError;
  return {
    server,
    greeting: printable(greeting),
    fingerprint: fingerprintOfCertificate(certificate.raw),
    protocol: tls.getProtocol() ?? 'unknown',
    cipher: tls.getCipher().name,
    subject: printable(certificate.subject.replace(/\n/g, ', ')),
    validTo: certificate.validTo,
    untrustedBecause: tls.authorized ? undefined : reason instanceof Error ? reason.message : String(reason),
  };
}

function failed(sentence: string, cause?: unknown): Fault {
  return new Fault('network', sentence, cause);
}
