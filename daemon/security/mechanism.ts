// The contract of a security mechanism on the client's side (RFC 2228): a drop-in that turns replies into steps.
// One file implements it, one row of registry.ts offers it; the session does not know which one it runs.
import type { Reply } from '../ftp/reply-reader.js';

/** What the mechanism wants next. */
export type MechanismStep =
  /** Send this line (without CRLF) and come back with the reply. */
  | { readonly kind: 'send'; readonly line: string }
  /** The next bytes on the connection are a TLS handshake. */
  | { readonly kind: 'wrapStream' }
  /** The server does not do this mechanism; `hints` are names it offered instead. The next one may be tried. */
  | { readonly kind: 'refused'; readonly reason: string; readonly hints: readonly string[] };

/** One attempt with one mechanism on one connection; never reused. */
export interface MechanismClient {
  /** The name in the configuration and in `sessions`. */
  readonly name: string;
  /** The AUTH word, for the log. */
  readonly word: string;
  start(): MechanismStep;
  /** The reply to the line last sent. */
  onReply(reply: Reply): MechanismStep;
}
