// The contract of a security mechanism on the client's side (RFC 2228): a drop-in that turns replies into steps.
// One file implements it, one row of registry.ts offers it; the session does not know which one it runs.
//
// There are two shapes. TLS wraps the stream: after `wrapStream` the driver makes the handshake, the core sees plain text only, and
// data connections are made secure by the driver as well. X-SafeTP1 wraps lines and blocks: it shows its key in the course of the
// negotiation (`judge`), and after `wrapLines` each line of either side passes through a LineProtection, which also gives each
// transfer its DataProtection. Both end where the session is `secured`: a key was judged, PBSZ and PROT follow, then the client's
// held commands. Rules that hold for both, and which test/compliance runs on both: nothing of the client is sent before the key was
// accepted; bytes behind an agreement are an attack; once a server has agreed there is no way back to a weaker mechanism or to clear.
import type { IpAddress } from '../../shared/endpoint.js';
import type { ServerIdentity } from '../../shared/trust.js';
import type { Reply } from '../ftp/reply-reader.js';
import type { Transcript } from './safetp/transcript.js';

/** What the mechanism wants next. */
export type MechanismStep =
  /** Send this line (without CRLF) and come back with the reply. */
  | { readonly kind: 'send'; readonly line: string }
  /** The next bytes on the connection are a TLS handshake. */
  | { readonly kind: 'wrapStream' }
  /** The server shows this key. Nothing is sent until it was accepted; then go on with `accepted`. */
  | { readonly kind: 'judge'; readonly identity: ServerIdentity; readonly accepted: () => MechanismStep }
  /** From here on each line is protected. Send `first`, protected, and come back with the reply. */
  | { readonly kind: 'wrapLines'; readonly lines: LineProtection; readonly first: string }
  /** The lines are protected and the way there was not tampered with. */
  | { readonly kind: 'secured' }
  /** The server does not do this mechanism; `hints` are names it offered instead. The next one may be tried. */
  | { readonly kind: 'refused'; readonly reason: string; readonly hints: readonly string[] }
  /** The server agreed and then broke the protocol: end the session, send nothing more. */
  | { readonly kind: 'failed'; readonly reason: string };

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

/** What a mechanism knows of its connection. */
export interface MechanismContext {
  /** The address that was dialled. */
  readonly server: IpAddress;
  /** All that was said so far, and all that will be said in clear. */
  readonly transcript: Transcript;
}

/** Both directions of a control connection whose lines are protected. */
export interface LineProtection {
  /** The bytes to send for a line (given without CRLF), and its number; undefined for one that may not be sent. */
  seal(line: Uint8Array): { readonly wire: Uint8Array; readonly sequence: number } | undefined;
  /** The line inside a line (both without CRLF); undefined ends the session. */
  open(wire: Uint8Array): Buffer | undefined;
  /** The PBSZ to propose now; larger after a server has said that it wants a larger one. */
  readonly bufferProposal: number;
  /** What the reply to that proposal says: the size agreed on, no for now, or something that ends the session. */
  onBufferReply(reply: string): number | 'refused' | 'broken';
  /** The data of the transfer that the line with this number asked for. */
  transfer(sequence: number, bufferSize: number): DataProtection;
}

/** One transfer's data in protected blocks. */
export interface DataProtection {
  /** For data that the server sends. */
  reader(): DataReader;
  /** For data that the client sends. */
  writer(): DataWriter;
}

export interface DataReader {
  /** The authenticated end has come, and nothing behind it. */
  readonly ended: boolean;
  push(bytes: Uint8Array): { readonly kind: 'data' | 'broken'; readonly data: readonly Buffer[] };
}

export interface DataWriter {
  write(bytes: Uint8Array): readonly Buffer[];
  /** What ends the data; only for a source that ended regularly. */
  end(): readonly Buffer[];
}
