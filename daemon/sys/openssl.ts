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
  SSL_set_bio: 'void SSL_set_bio(uintptr_t ssl, uintptr_t in, uintptr_t out)',
  BIO_new_socket: 'uintptr_t BIO_new_socket(int fd, int close)',
  BIO_s_mem: 'uintptr_t BIO_s_mem()',
  BIO_new: 'uintptr_t BIO_new(uintptr_t method)',
  BIO_ctrl: 'long BIO_ctrl(uintptr_t bio, int command, long value, void *cell)',
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
  BIO_new_mem_buf: 'uintptr_t BIO_new_mem_buf(uintptr_t bytes, int length)',
  BIO_free: 'int BIO_free(uintptr_t bio)',
  PEM_read_bio_X509_AUX:
    'uintptr_t PEM_read_bio_X509_AUX(uintptr_t bio, uintptr_t into, uintptr_t ask, uintptr_t asked)',
  SSL_CTX_get_cert_store: 'uintptr_t SSL_CTX_get_cert_store(uintptr_t context)',
  X509_STORE_add_cert: 'int X509_STORE_add_cert(uintptr_t store, uintptr_t certificate)',
  SSL_get_verify_result: 'long SSL_get_verify_result(uintptr_t ssl)',
  SSL_get_version: 'const char *SSL_get_version(uintptr_t ssl)',
  SSL_get_current_cipher: 'uintptr_t SSL_get_current_cipher(uintptr_t ssl)',
  SSL_CIPHER_get_name: 'const char *SSL_CIPHER_get_name(uintptr_t cipher)',
  OBJ_nid2sn: 'const char *OBJ_nid2sn(int nid)',
  SSL_get1_session: 'uintptr_t SSL_get1_session(uintptr_t ssl)',
  SSL_SESSION_dup: 'uintptr_t SSL_SESSION_dup(uintptr_t session)',
  SSL_set_alpn_protos: 'int SSL_set_alpn_protos(uintptr_t ssl, const void *names, unsigned int length)',
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
      SSL_set_bio: bind('SSL_set_bio'),
      BIO_new_socket: bind('BIO_new_socket'),
      BIO_s_mem: bind('BIO_s_mem'),
      BIO_new: bind('BIO_new'),
      BIO_ctrl: bind('BIO_ctrl'),
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
      BIO_new_mem_buf: bind('BIO_new_mem_buf'),
      BIO_free: bind('BIO_free'),
      PEM_read_bio_X509_AUX: bind('PEM_read_bio_X509_AUX'),
      SSL_CTX_get_cert_store: bind('SSL_CTX_get_cert_store'),
      X509_STORE_add_cert: bind('X509_STORE_add_cert'),
      SSL_get_verify_result: bind('SSL_get_verify_result'),
      SSL_get_version: bind('SSL_get_version'),
      SSL_get_current_cipher: bind('SSL_get_current_cipher'),
      SSL_CIPHER_get_name: bind('SSL_CIPHER_get_name'),
      OBJ_nid2sn: bind('OBJ_nid2sn'),
      SSL_get1_session: bind('SSL_get1_session'),
      SSL_SESSION_dup: bind('SSL_SESSION_dup'),
      SSL_set_alpn_protos: bind('SSL_set_alpn_protos'),
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
