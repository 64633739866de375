// What the person or the administrator allows, resolved for one server. Made by daemon/config.ts from the file;
// the core, the mechanisms and the verdict only read it.

/** How the proxy talks to the server. */
export type HostMode = 'explicit' | 'implicit' | 'plain' | 'tunnel';
/** What happens when a server's key is not known. */
export type UnknownKeyPolicy = 'ask' | 'accept-new' | 'refuse';
/** What happens when a server offers no encryption at all. */
export type CleartextPolicy = 'allow' | 'warn' | 'ask' | 'refuse';
/** How file data is protected: always, never, or when the server can. */
export type DataProtection = 'private' | 'clear' | 'auto';
export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** The policy of one server, every key resolved ([[host]] over the global tables). */
export interface HostPolicy {
  readonly mode: HostMode;
  readonly trust: {
    readonly unknown: UnknownKeyPolicy;
    readonly caValid: 'accept' | 'ask';
    readonly replicate: 'accept' | 'ask';
    readonly promptTimeoutMs: number;
  };
  readonly fallback: { readonly cleartext: CleartextPolicy };
  readonly data: { readonly protection: DataProtection; readonly allowForeignAddress: boolean };
  readonly tls: { readonly minVersion: TlsVersion; readonly mechanisms: readonly string[] };
  /** A name that the configuration gives for this server (a [[host]] match that is a name), else undefined. */
  readonly name: string | undefined;
}
