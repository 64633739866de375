// One TLS client connection on a descriptor, and the contexts for them, by calls of OpenSSL. It never waits: each call says what it
// waits for. What an end proves is told apart here: close_notify, a bare FIN, and everything that broke.
import { NativeBuffer } from './native-buffer.js';
import { sendForeign } from './libc.js';
import { numeric, openSsl, type OpenSsl } from './openssl.js';

/** What a call has to wait for before it is made again. */
export type Waiting = 'waitsToRead' | 'waitsToWrite';

/** `ended`: close_notify came. `cut`: the peer's FIN came without it. `broken`: TCP or TLS failed. All are final. */
export type Received = number | Waiting | 'ended' | 'cut' | 'broken';

/** OpenSSL's word for what failed, in the form of Node's error codes; `undefined` if TCP failed. */
export type TlsFailure = string | undefined;

const SSL_ERROR = { ssl: 1, wantRead: 2, zeroReturn: 6 } as const;
const CTRL = {
  mode: 33,
  readAhead: 41,
  hostname: 55,
  groups: 92,
  minVersion: 123,
  negotiatedGroup: 134,
} as const;
const BIO_CTRL = { reset: 1, info: 3, pending: 10 } as const;
const X509_V_OK = 0;
/** Plain bytes that are encrypted at once: four records, sent in one call. */
const PORTION = 64 * 1024;
const SSL_MODE_RELEASE_BUFFERS = 16;
/** With it OpenSSL would report a bare FIN as close_notify. */
const SSL_OP_IGNORE_UNEXPECTED_EOF = 1 << 7;
const VERSIONS = { TLSv1: 0x301, 'TLSv1.1': 0x302, 'TLSv1.2': 0x303, 'TLSv1.3': 0x304 } as const;
const UNEXPECTED_EOF = 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING';

/** As the options of the same names of Node's `tls.createSecureContext`. */
export interface ContextSettings {
  readonly minVersion: keyof typeof VERSIONS;
  /** A list as Node has it: suites of TLS 1.3 and ciphers of older versions mixed. */
  readonly ciphers: string;
  readonly secureOptions: number;
  /** Groups for the key exchange, the first one first; OpenSSL's own when undefined. */
  readonly groups: readonly string[] | undefined;
}

/** Never freed: who makes them keeps them. A chain that leads nowhere ends no handshake; no session is kept. */
export interface TlsContext {
  readonly openssl: OpenSsl;
  readonly address: number;
}

/** Undefined where OpenSSL can't be called (see openssl.ts) or does not take the settings. `authorities` is text in PEM. */
export function createTlsContext(
  settings: ContextSettings,
  authorities: readonly string[],
): TlsContext | undefined {
  const openssl = openSsl();
  if (openssl === undefined) return undefined;
  const address = numeric(openssl.SSL_CTX_new(numeric(openssl.TLS_client_method())));
  if (address === 0) return undefined;
  const taken = isConfigured(openssl, address, settings);
  for (const text of authorities) addAuthorities(openssl, address, text);
  openssl.ERR_clear_error();
  return taken ? { openssl, address } : undefined;
}

function isConfigured(openssl: OpenSsl, context: number, settings: ContextSettings): boolean {
  const names = settings.ciphers.split(':');
  const suites = names.filter((name) => name.startsWith('TLS_')).join(':');
  const ciphers = names.filter((name) => !name.startsWith('TLS_')).join(':');
  openssl.SSL_CTX_ctrl(context, CTRL.mode, SSL_MODE_RELEASE_BUFFERS, null);
  // A record in one read, not in two for its head and the rest.
  openssl.SSL_CTX_ctrl(context, CTRL.readAhead, 1, null);
  openssl.SSL_CTX_set_options(context, settings.secureOptions);
  openssl.SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  const results = [
    openssl.SSL_CTX_ctrl(context, CTRL.minVersion, VERSIONS[settings.minVersion], null),
    openssl.SSL_CTX_set_cipher_list(context, ciphers),
    openssl.SSL_CTX_set_ciphersuites(context, suites),
    settings.groups === undefined
      ? 1
      : openssl.SSL_CTX_ctrl(context, CTRL.groups, 0, settings.groups.join(':')),
  ];
  return results.every((result) => numeric(result) === 1);
}

/** Every certificate of the text up to the first that can't be read, as Node's `ca` option does. */
function addAuthorities(openssl: OpenSsl, context: number, text: string): void {
  const pem = nativeCopy(Buffer.from(text));
  const bio = numeric(openssl.BIO_new_mem_buf(pem.address(0, pem.size), pem.size));
  const store = numeric(openssl.SSL_CTX_get_cert_store(context));
  const next = (): number => numeric(openssl.PEM_read_bio_X509_AUX(bio, 0, 0, 0));
  for (let certificate = next(); certificate !== 0; certificate = next()) {
    openssl.X509_STORE_add_cert(store, certificate);
    openssl.X509_free(certificate);
  }
  openssl.BIO_free(bio);
  pem.keep();
}

function nativeCopy(bytes: Buffer): NativeBuffer {
  const copy = new NativeBuffer(bytes.length);
  copy.view(0, copy.size).set(bytes);
  return copy;
}

/** How a connection begins. */
export interface TlsBeginning {
  readonly servername?: string | undefined;
  /** One name of an application protocol (ALPN). */
  readonly alpn?: string | undefined;
  /**
   * A session to resume: that of another connection, or one in DER. Each connection gets a copy, because OpenSSL spoils the session of
   * one that ended without a word. One that can't be read or resumed is left out.
   */
  readonly session?: TlsDescriptor | Buffer | undefined;
}

/**
 * Uses the descriptor and never closes it. After `free` every call throws. What it has to send is gathered in memory and leaves with `flush`, by which the
 * other calls end: so a first message can be made before it may be seen, and the alert that OpenSSL has for a peer that was cut off goes
 * to nobody (ProFTPD ends the whole session for it).
 */
export class TlsDescriptor {
  readonly #openssl: OpenSsl;
  readonly #fd: number;
  #ssl: number;
  /** The memory of what is to be sent; the SSL's own. */
  readonly #out: number;
  /** Bytes of it that were sent. */
  #sent = 0;
  #failure: TlsFailure;
  #isOver = false;
  /** Our close_notify was made. */
  #isClosing = false;

  /** Throws if there is no memory for it. The descriptor must not block. */
  constructor(context: TlsContext, fd: number, { servername, alpn, session }: TlsBeginning) {
    const { openssl } = context;
    this.#openssl = openssl;
    this.#fd = fd;
    this.#ssl = numeric(openssl.SSL_new(context.address));
    const incoming = numeric(openssl.BIO_new_socket(fd, 0));
    this.#out = numeric(openssl.BIO_new(numeric(openssl.BIO_s_mem())));
    if (this.#ssl === 0 || incoming === 0 || this.#out === 0) throw new Error('OpenSSL has no memory');
    openssl.SSL_set_bio(this.#ssl, incoming, this.#out);
    if (servername !== undefined) openssl.SSL_ctrl(this.#ssl, CTRL.hostname, 0, servername);
    if (alpn !== undefined) openssl.SSL_set_alpn_protos(this.#ssl, lengthFirst(alpn), alpn.length + 1);
    if (session !== undefined) this.#resume(session);
  }

  /** Goes on with the handshake; what it says waits for `flush`. */
  handshake(): 'done' | Waiting | 'broken' {
    const result = this.#call('SSL_connect');
    if (result === 1) return 'done';
    return this.#stateAfter(result) === 'waitsToRead' ? 'waitsToRead' : 'broken';
  }

  /** Sends what there is to be sent. */
  flush(): 'done' | Waiting | 'broken' {
    const openssl = this.#openssl;
    const out = this.#out;
    this.#alive();
    const length = numeric(openssl.BIO_ctrl(out, BIO_CTRL.pending, 0, null));
    if (length === 0) return 'done';
    const cell = Buffer.alloc(8);
    openssl.BIO_ctrl(out, BIO_CTRL.info, 0, cell);
    const address = Number(cell.readBigUInt64LE());
    while (this.#sent < length) {
      const sent = sendForeign(this.#fd, address + this.#sent, length - this.#sent);
      if (sent === 'nothing') return 'waitsToWrite';
      if (sent === 'broken') return 'broken';
      this.#sent += sent;
    }
    openssl.BIO_ctrl(out, BIO_CTRL.reset, 0, null);
    this.#sent = 0;
    return 'done';
  }

  /** Reads one record at most into `length` bytes of the buffer from `at` on. */
  read(into: NativeBuffer, at: number, length: number): Received {
    if (this.#isOver) return 'broken';
    const result = this.#call('SSL_read', into.address(at, length), length);
    if (result > 0) return result;
    const state = this.#stateAfter(result);
    // An answer that TLS itself had to give, or the alert that tells why.
    if (state === 'waitsToRead' || state === 'broken') this.flush();
    return state;
  }

  /** How many of the bytes were encrypted; `flush` tells whether all of that has left. Takes nothing while something has not. */
  write(from: NativeBuffer, at: number, length: number): number | Waiting | 'broken' {
    if (this.#isOver) return 'broken';
    const flushed = this.flush();
    if (flushed !== 'done') return flushed;
    const portion = Math.min(length, PORTION);
    const result = this.#call('SSL_write', from.address(at, portion), portion);
    if (result <= 0) return this.#stateAfter(result) === 'waitsToRead' ? 'waitsToRead' : 'broken';
    return this.flush() === 'broken' ? 'broken' : result;
  }

  /** Sends close_notify; reading goes on. Again after it waited. Nothing may be written behind it. */
  closeNotify(): 'done' | Waiting | 'broken' {
    if (this.#isOver) return 'broken';
    const flushed = this.flush();
    if (flushed !== 'done' || this.#isClosing) return flushed;
    this.#isClosing = true;
    return this.#call('SSL_shutdown') < 0 ? 'broken' : this.flush();
  }

  /** Why it is `broken`. */
  get failure(): TlsFailure {
    return this.#failure;
  }

  /** The session that it began with was resumed. */
  isResumed(): boolean {
    return this.#call('SSL_session_reused') === 1;
  }

  /** The peer's certificate in DER, if one was shown in this handshake and it has at most `max` bytes; `tooLarge` if it has more. */
  peerCertificate(max: number): Buffer | 'tooLarge' | undefined {
    const openssl = this.#openssl;
    const certificate = this.#call('SSL_get1_peer_certificate');
    if (certificate === 0) return undefined;
    try {
      const length = numeric(openssl.i2d_X509(certificate, null));
      if (length <= 0) return undefined;
      return length > max ? 'tooLarge' : encode(openssl, certificate, length);
    } finally {
      openssl.X509_free(certificate);
    }
  }

  /** `TLSv1.3`, `TLSv1.2` and so on. */
  protocol(): string {
    return textOr(this.#openssl.SSL_get_version(this.#alive()), 'unknown');
  }

  /** OpenSSL's name of it. */
  cipher(): string {
    const cipher = this.#call('SSL_get_current_cipher');
    return textOr(this.#openssl.SSL_CIPHER_get_name(cipher), 'unknown');
  }

  /** OpenSSL's name of the group of the key exchange; undefined if there was none, as when a session was resumed without. */
  group(): string | undefined {
    const nid = numeric(this.#openssl.SSL_ctrl(this.#alive(), CTRL.negotiatedGroup, 0, null));
    // Above: a group that OpenSSL has no name for.
    if (nid <= 0 || nid >= 0x1000000) return undefined;
    const name = this.#openssl.OBJ_nid2sn(nid);
    return typeof name === 'string' ? name : undefined;
  }

  /** The chain that the peer showed leads to an authority of the context. True as well when none was shown: ask for the certificate, too. */
  isChainValid(): boolean {
    return this.#call('SSL_get_verify_result') === X509_V_OK;
  }

  /** Without any word to the peer. Idempotent. */
  free(): void {
    if (this.#ssl !== 0) this.#openssl.SSL_free(this.#ssl);
    this.#ssl = 0;
  }

  #resume(session: TlsDescriptor | Buffer): void {
    const openssl = this.#openssl;
    const address = session instanceof TlsDescriptor ? session.#copySession() : readSession(openssl, session);
    if (address !== 0) {
      openssl.SSL_set_session(this.#ssl, address);
      openssl.SSL_SESSION_free(address);
    }
    openssl.ERR_clear_error();
  }

  /** Its newest session, the caller's to free; 0 if there is none. */
  #copySession(): number {
    if (this.#ssl === 0) return 0;
    const newest = this.#call('SSL_get1_session');
    if (newest === 0) return 0;
    const copy = numeric(this.#openssl.SSL_SESSION_dup(newest));
    this.#openssl.SSL_SESSION_free(newest);
    return copy;
  }

  #call(name: keyof OpenSsl, ...more: readonly number[]): number {
    const ssl = this.#alive();
    // Whatever Node's own calls left in the thread's list of errors would be taken for this call's.
    if (name !== 'SSL_get_error') this.#openssl.ERR_clear_error();
    return numeric(this.#openssl[name](ssl, ...more));
  }

  #alive(): number {
    if (this.#ssl === 0) throw new Error('a TLS connection was used that is gone');
    return this.#ssl;
  }

  /** What a call that did nothing waits for, or why there is nothing more to come. */
  #stateAfter(result: number): 'waitsToRead' | 'ended' | 'cut' | 'broken' {
    const error = this.#call('SSL_get_error', result);
    if (error === SSL_ERROR.wantRead) return 'waitsToRead';
    if (error === SSL_ERROR.zeroReturn) return 'ended';
    this.#isOver = true;
    if (error === SSL_ERROR.ssl) this.#failure = reasonCode(this.#openssl);
    // The thread's list of errors is Node's own too.
    this.#openssl.ERR_clear_error();
    return this.#failure === UNEXPECTED_EOF ? 'cut' : 'broken';
  }
}

function readSession(openssl: OpenSsl, der: Buffer): number {
  const bytes = nativeCopy(der);
  const session = numeric(openssl.d2i_SSL_SESSION(null, addressCell(bytes), bytes.size));
  bytes.keep();
  return session;
}

function lengthFirst(name: string): Buffer {
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1')]);
}

function textOr(text: unknown, otherwise: string): string {
  return typeof text === 'string' ? text : otherwise;
}

function encode(openssl: OpenSsl, certificate: number, length: number): Buffer {
  const der = new NativeBuffer(length);
  openssl.i2d_X509(certificate, addressCell(der));
  return der.view(0, length);
}

/** A pointer to a pointer to the bytes, which OpenSSL moves on to where it stopped. */
function addressCell(bytes: NativeBuffer): Buffer {
  const cell = Buffer.alloc(8);
  cell.writeBigUInt64LE(BigInt(bytes.address(0, bytes.size)));
  return cell;
}

/** The first error of the thread's list, as Node names it: `ERR_SSL_` and OpenSSL's reason. */
function reasonCode(openssl: OpenSsl): TlsFailure {
  const code = numeric(openssl.ERR_get_error());
  const reason = code === 0 ? null : openssl.ERR_reason_error_string(code);
  if (typeof reason !== 'string') return undefined;
  return `ERR_SSL_${reason.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`;
}
