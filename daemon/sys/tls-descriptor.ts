// One TLS client connection on a descriptor, and the contexts for them, by calls of OpenSSL. It never waits: each call says what it
// waits for. What an end proves is told apart here: close_notify, a bare FIN, and everything that broke.
import { NativeBuffer } from './native-buffer.js';
import { numeric, openSsl, type OpenSsl } from './openssl.js';

/** What a call has to wait for before it is made again. */
export type Waiting = 'waitsToRead' | 'waitsToWrite';

/** `ended`: close_notify came. `cut`: the peer's FIN came without it. `broken`: TCP or TLS failed. All are final. */
export type Received = number | Waiting | 'ended' | 'cut' | 'broken';

/** OpenSSL's word for what failed, in the form of Node's error codes; `undefined` if TCP failed. */
export type TlsFailure = string | undefined;

const SSL_ERROR = { ssl: 1, wantRead: 2, wantWrite: 3, zeroReturn: 6 } as const;
const CTRL = { mode: 33, readAhead: 41, hostname: 55, groups: 92, minVersion: 123 } as const;
const SSL_MODE_ENABLE_PARTIAL_WRITE = 1;
const SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER = 2;
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

/** Never freed: who makes them keeps them. No peer's certificate is checked; no session is kept. */
export interface TlsContext {
  readonly openssl: OpenSsl;
  readonly address: number;
}

/** Undefined where OpenSSL can't be called (see openssl.ts) or does not take the settings. */
export function createTlsContext(settings: ContextSettings): TlsContext | undefined {
  const openssl = openSsl();
  if (openssl === undefined) return undefined;
  const address = numeric(openssl.SSL_CTX_new(numeric(openssl.TLS_client_method())));
  if (address === 0) return undefined;
  const taken = isConfigured(openssl, address, settings);
  openssl.ERR_clear_error();
  return taken ? { openssl, address } : undefined;
}

function isConfigured(openssl: OpenSsl, context: number, settings: ContextSettings): boolean {
  const names = settings.ciphers.split(':');
  const suites = names.filter((name) => name.startsWith('TLS_')).join(':');
  const ciphers = names.filter((name) => !name.startsWith('TLS_')).join(':');
  const mode = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS;
  openssl.SSL_CTX_ctrl(context, CTRL.mode, mode, null);
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

/** How a connection begins. */
export interface TlsBeginning {
  readonly servername: string | undefined;
  /** In DER; one that can't be read is left out. */
  readonly session: Buffer | undefined;
}

/** Uses the descriptor and never closes it. After `free` every call throws. */
export class TlsDescriptor {
  readonly #openssl: OpenSsl;
  #ssl: number;
  #failure: TlsFailure;
  #isOver = false;

  /** Throws if there is no memory for it. The descriptor must not block. */
  constructor(context: TlsContext, fd: number, { servername, session }: TlsBeginning) {
    const { openssl } = context;
    this.#openssl = openssl;
    openssl.ERR_clear_error();
    this.#ssl = numeric(openssl.SSL_new(context.address));
    if (this.#ssl === 0 || numeric(openssl.SSL_set_fd(this.#ssl, fd)) !== 1) {
      this.free();
      throw new Error('OpenSSL made no connection');
    }
    if (servername !== undefined) openssl.SSL_ctrl(this.#ssl, CTRL.hostname, 0, servername);
    if (session !== undefined) this.#resume(session);
  }

  /** Goes on with the handshake. */
  handshake(): 'done' | Waiting | 'broken' {
    const result = this.#call('SSL_connect');
    if (result === 1) return 'done';
    const state = this.#stateAfter(result);
    return state === 'waitsToRead' || state === 'waitsToWrite' ? state : 'broken';
  }

  /** Reads one record at most into `length` bytes of the buffer from `at` on. */
  read(into: NativeBuffer, at: number, length: number): Received {
    if (this.#isOver) return 'broken';
    const result = this.#call('SSL_read', into.address(at, length), length);
    return result > 0 ? result : this.#stateAfter(result);
  }

  /** Writes one record at most; the number of bytes that it took. What waited must be offered again, with the same bytes first. */
  write(from: NativeBuffer, at: number, length: number): number | Waiting | 'broken' {
    if (this.#isOver) return 'broken';
    const result = this.#call('SSL_write', from.address(at, length), length);
    if (result > 0) return result;
    const state = this.#stateAfter(result);
    return state === 'ended' || state === 'cut' ? 'broken' : state;
  }

  /** Sends close_notify; reading goes on. Nothing may be written behind it. */
  closeNotify(): 'done' | Waiting | 'broken' {
    if (this.#isOver) return 'broken';
    const result = this.#call('SSL_shutdown');
    if (result >= 0) return 'done';
    const state = this.#stateAfter(result);
    return state === 'waitsToRead' || state === 'waitsToWrite' ? state : 'broken';
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

  /** Without any word to the peer. Idempotent. */
  free(): void {
    if (this.#ssl !== 0) this.#openssl.SSL_free(this.#ssl);
    this.#ssl = 0;
  }

  #resume(session: Buffer): void {
    const openssl = this.#openssl;
    const bytes = new NativeBuffer(session.length);
    bytes.view(0, bytes.size).set(session);
    const address = numeric(openssl.d2i_SSL_SESSION(null, addressCell(bytes), bytes.size));
    if (address !== 0) {
      openssl.SSL_set_session(this.#ssl, address);
      openssl.SSL_SESSION_free(address);
    }
    openssl.ERR_clear_error();
  }

  #call(name: keyof OpenSsl, ...more: readonly number[]): number {
    if (this.#ssl === 0) throw new Error(`${name} on a connection that is gone`);
    // Whatever Node's own calls left in the thread's list of errors would be taken for this call's.
    if (name !== 'SSL_get_error') this.#openssl.ERR_clear_error();
    return numeric(this.#openssl[name](this.#ssl, ...more));
  }

  /** What a call that did nothing waits for, or why there is nothing more to come. */
  #stateAfter(result: number): Waiting | 'ended' | 'cut' | 'broken' {
    const error = this.#call('SSL_get_error', result);
    if (error === SSL_ERROR.wantRead) return 'waitsToRead';
    if (error === SSL_ERROR.wantWrite) return 'waitsToWrite';
    if (error === SSL_ERROR.zeroReturn) return 'ended';
    this.#isOver = true;
    if (error === SSL_ERROR.ssl) this.#failure = reasonCode(this.#openssl);
    // The thread's list of errors is Node's own too.
    this.#openssl.ERR_clear_error();
    return this.#failure === UNEXPECTED_EOF ? 'cut' : 'broken';
  }
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
