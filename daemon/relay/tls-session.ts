// What a TLS session is kept as. OpenSSL writes the server's certificate into it and reads that again, its key included, on every
// connection that resumes the session: more than the rest of such a handshake costs this process. Resumption needs none of it.

/** A DER element: where it begins, where its content begins, and where it ends. */
interface Span {
  readonly tag: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

const SEQUENCE = 0x30;
/** `peer [3] EXPLICIT X509 OPTIONAL` of OpenSSL's SSL_SESSION (ssl/ssl_asn1.c). */
const PEER_CERTIFICATE = 0xa3;
/** Newer versions of Node put this, the length of the host's name and the name before the session. */
const NODE_HEAD = Buffer.from('\0nodejs:tls:session:1\0', 'latin1');

/**
 * The session without the server's certificate; the same bytes if it is in no form that is known. It resumes like the other,
 * which is as good a proof of who the server is: only the peer of the first handshake knows its secret. A connection that
 * resumed it has no peer certificate to show.
 */
export function withoutCertificate(session: Buffer): Buffer {
  const start = headLength(session);
  const outer = spanAt(session, start);
  if (outer?.tag !== SEQUENCE || outer.end !== session.length) return session;
  const parts = spansOf(session, outer);
  if (parts === undefined) return session;
  const kept = parts.filter((part) => part.tag !== PEER_CERTIFICATE);
  const content = Buffer.concat(kept.map((part) => session.subarray(part.start, part.end)));
  return Buffer.concat([session.subarray(0, start), sequenceHead(content.length), content]);
}

/** The session as OpenSSL has it, without what Node puts before it. */
export function withoutHost(session: Buffer): Buffer {
  return session.subarray(headLength(session));
}

function headLength(session: Buffer): number {
  const length = NODE_HEAD.length + 2;
  const isHeaded = session.length >= length && session.subarray(0, NODE_HEAD.length).equals(NODE_HEAD);
  return isHeaded ? length + session.readUInt16BE(NODE_HEAD.length) : 0;
}

/** The elements inside another one, or undefined if they do not fill it exactly. */
function spansOf(bytes: Buffer, outer: Span): readonly Span[] | undefined {
  const spans: Span[] = [];
  for (let at = outer.content; at < outer.end;) {
    const span = spanAt(bytes, at);
    if (span === undefined || span.end > outer.end) return undefined;
    spans.push(span);
    at = span.end;
  }
  return spans;
}

function spanAt(bytes: Buffer, start: number): Span | undefined {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined) return undefined;
  // Above 0x80: so many bytes of length follow. Sessions are far below 64 KiB.
  const more = first < 0x80 ? 0 : first - 0x80;
  const content = start + 2 + more;
  if (first === 0x80 || more > 2 || content > bytes.length) return undefined;
  const end = content + (more === 0 ? first : bytes.readUIntBE(start + 2, more));
  return end > bytes.length ? undefined : { tag, start, content, end };
}

function sequenceHead(length: number): Buffer {
  return Buffer.from([SEQUENCE, 0x82, length >> 8, length & 0xff]);
}
