// The bounds of a server proxy's session that are its own; what it shares with daemon/ftp stands there.

/** Milliseconds from accept to the first login (or to the first command of a conversation in clear), NOOPs and the like notwithstanding. */
export const LOGIN_MS = 120_000;
