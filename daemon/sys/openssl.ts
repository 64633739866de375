// The OpenSSL that Node itself is built with, called directly: TLS on a descriptor, without a JavaScript stream for each byte.
// Contexts and calls; no policy. Pointers are numbers here and leave this file only inside the classes that own what they lead to.
import koffi from 'koffi';

type Argument = number | bigint | Uint8Array | string | null;
export type NativeCall = (...args: readonly Argument[]) => unknown;

// void * is uintptr_t: a number costs less than koffi's pointers. long is for Linux alone, where it has the size of a pointer.
const DECLARATIONS = {
  TLS_client_method: 'uintptr_t TLS_client_method()',
  SSL_CTX_new: 'uintptr_t SSL_CTX_new(uintptr_t method)',
  SSL_CTX_ctrl: 'long SSL_CTX_ctrl(uintptr_t context, int command, long value, const char *text)',
  SSL_CTX_set_options: 'uint64_t SSL_CTX_set_options(uintptr_t context, uint64_t options)',
  SSL_CTX_clear_options: 'uint64_t SSL_CTX_clear_options(uintptr_t context, uint64_t options)',
  SSL_CTX_set_cipher_list: 'int SSL_CTX_set_cipher_list(uintptr_t context, const char *list)',
  SSL_CTX_set_ciphersuites: 'int SSL_CTX_set_ciphersuites(uintptr_t context, const char *list)',
  SSL_new: 'uintptr_t SSL_new(uintptr_t context)',
  SSL_free: 'void SSL_free(uintptr_t ssl)',
  SSL_set_fd: 'int SSL_set_fd(uintptr_t ssl, int fd)',
  SSL_ctrl: 'long SSL_ctrl(uintptr_t ssl, int command, long value, const char *text)',
  SSL_set_session: 'int SSL_set_session(uintptr_t ssl, uintptr_t session)',
  SSL_connect: 'int SSL_connect(uintptr_t ssl)',
  SSL_read: 'int SSL_read(uintptr_t ssl, uintptr_t bytes, int length)',
  SSL_write: 'int SSL_write(uintptr_t ssl, uintptr_t bytes, int length)',
  SSL_shutdown: 'int SSL_shutdown(uintptr_t ssl)',
  SSL_get_error: 'int SSL_get_error(uintptr_t ssl, int result)',
  SSL_session_reused: 'int SSL_session_reused(uintptr_t ssl)',
  SSL_get1_peer_certificate: 'uintptr_t SSL_get1_peer_certificate(uintptr_t ssl)',
  SSL_SESSION_free: 'void SSL_SESSION_free(uintptr_t session)',
  d2i_SSL_SESSION: 'uintptr_t d2i_SSL_SESSION(void *into, void *cell, long length)',
  i2d_X509: 'int i2d_X509(uintptr_t certificate, void *cell)',
  X509_free: 'void X509_free(uintptr_t certificate)',
  ERR_clear_error: 'void ERR_clear_error()',
  ERR_get_error: 'unsigned long ERR_get_error()',
  ERR_reason_error_string: 'const char *ERR_reason_error_string(unsigned long code)',
} as const;

/** The functions that are used, by their own names. */
export type OpenSsl = Readonly<Record<keyof typeof DECLARATIONS, NativeCall>>;

let loaded: OpenSsl | 'absent' | undefined;

/**
 * The functions, or undefined where they can't be used: another system than Linux, another OpenSSL than 3, or a Node that does
 * not show its own to others. Looked for once in each thread.
 */
export function openSsl(): OpenSsl | undefined {
  loaded ??= loadOpenSsl() ?? 'absent';
  return loaded === 'absent' ? undefined : loaded;
}

function loadOpenSsl(): OpenSsl | undefined {
  const isKnown = process.platform === 'linux' && process.versions.openssl.startsWith('3.');
  if (!isKnown) return undefined;
  const library = koffi.load(null);
  const bind = (name: keyof typeof DECLARATIONS): NativeCall => library.func(DECLARATIONS[name]);
  try {
    return {
      TLS_client_method: bind('TLS_client_method'),
      SSL_CTX_new: bind('SSL_CTX_new'),
      SSL_CTX_ctrl: bind('SSL_CTX_ctrl'),
      SSL_CTX_set_options: bind('SSL_CTX_set_options'),
      SSL_CTX_clear_options: bind('SSL_CTX_clear_options'),
      SSL_CTX_set_cipher_list: bind('SSL_CTX_set_cipher_list'),
      SSL_CTX_set_ciphersuites: bind('SSL_CTX_set_ciphersuites'),
      SSL_new: bind('SSL_new'),
      SSL_free: bind('SSL_free'),
      SSL_set_fd: bind('SSL_set_fd'),
      SSL_ctrl: bind('SSL_ctrl'),
      SSL_set_session: bind('SSL_set_session'),
      SSL_connect: bind('SSL_connect'),
      SSL_read: bind('SSL_read'),
      SSL_write: bind('SSL_write'),
      SSL_shutdown: bind('SSL_shutdown'),
      SSL_get_error: bind('SSL_get_error'),
      SSL_session_reused: bind('SSL_session_reused'),
      SSL_get1_peer_certificate: bind('SSL_get1_peer_certificate'),
      SSL_SESSION_free: bind('SSL_SESSION_free'),
      d2i_SSL_SESSION: bind('d2i_SSL_SESSION'),
      i2d_X509: bind('i2d_X509'),
      X509_free: bind('X509_free'),
      ERR_clear_error: bind('ERR_clear_error'),
      ERR_get_error: bind('ERR_get_error'),
      ERR_reason_error_string: bind('ERR_reason_error_string'),
    };
  } catch {
    return undefined;
  }
}

/** A result that is a number by its declaration. */
export function numeric(result: unknown): number {
  if (typeof result === 'number') return result;
  if (typeof result === 'bigint') return Number(result);
  throw new TypeError('a native call returned no number');
}
