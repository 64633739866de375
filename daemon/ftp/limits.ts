// Every bound of the FTP core, each with its reason. Memory of a session is bounded by the sum of the byte limits here.

/** Bytes of a client's command line with CRLF. PATH_MAX is 4096, Telnet may double each byte, and a verb precedes it. */
export const COMMAND_LINE_MAX = 16_384;

/** Bytes of one line of a reply. Longer than any server's; precedent for the order of magnitude: 64 KiB in basic-ftp. */
export const REPLY_LINE_MAX = 65_536;

/** Bytes of a whole reply where the core must read all of it before acting (AUTH, PASV …). Other replies are streamed. */
export const COLLECTED_REPLY_MAX = 65_536;

/** Bytes of client commands held while the session can't send them; beyond it the client's socket is not read. */
export const HELD_COMMANDS_MAX = 65_536;

/** Bytes of replies kept back behind a final reply that waits for its data connection; beyond it the session ends. */
export const HELD_REPLIES_MAX = 262_144;

/** Replies outstanding at the server at one time; a client that pipelines more waits. */
export const OUTSTANDING_MAX = 64;

/** Commands remembered for a second connection to a server that hung up on AUTH (OPTS, LANG, HOST, CLNT). */
export const REPLAYED_COMMANDS_MAX = 16;

/** Milliseconds for the server's greeting and for its answer to a command of ours (AUTH, PBSZ, PROT, EPSV, PASV, PORT). Reverse DNS look-ups of servers take up to 30 s. */
export const NEGOTIATION_REPLY_MS = 45_000;

/** Milliseconds without a word of the server or a byte of data that a client which says no more is still waited for. */
export const LINGER_MS = 60_000;

/** Milliseconds for a TLS handshake on the control connection. */
export const HANDSHAKE_MS = 30_000;
