// The replies that ftpseal itself gives to a client, one FTP line each: what happened, what it means, what to do.
// Texts from servers are never put in here without `oneLine`.

/** Any text as part of one FTP line: printable, at most 300 characters. Our own apostrophes come as programs of any age show them. */
export function oneLine(text: string): string {
  return text
    .replaceAll('’', "'")
    .replace(/[^ -~\u00a0-\uffff]+/g, ' ')
    .slice(0, 300);
}

/** A reply line of ours, with its CRLF. */
export function ownReply(code: number, sentence: string): string {
  return `${code} ftpseal: ${oneLine(sentence)}\r\n`;
}

export const sentences = {
  serverUnreachable: (server: string, reason: string) => `${server} can't be reached (${reason}).`,
  serverClosed: (server: string) => `${server} closed the connection.`,
  notFtp: (server: string) =>
    `${server} was encrypted before and now does not speak FTP; the connection was refused. Somebody may be in between.`,
  noFtp: (server: string) => `${server} does not speak FTP.`,
  clientStayedClear: () =>
    'this program asked the server for encryption and then went on without; the connection was closed before it could send a password.',
  injected: (server: string) =>
    `${server} sent something where only encryption may begin; somebody may be in between. Nothing was sent.`,
  outOfStep: (server: string) =>
    `${server} answered what was not asked; somebody may be in between. The connection was closed.`,
  tlsFailed: (server: string, reason: string) =>
    `${server} offered encryption, but it could not be set up (${reason}). Nothing was sent in clear.`,
  mechanismFailed: (server: string, reason: string) =>
    `${server} offered encryption, but it could not be set up (${reason}); somebody may be in between. Nothing was sent in clear.`,
  lineNotAuthentic: (server: string) =>
    `${server} sent something that is not protected as it should be; somebody may be in between. The connection was closed.`,
  lineRefused: () => 'that command line is too long or holds a line break; the connection was closed.',
  greetingMissing: (server: string) => `${server} gave no greeting; nothing was sent. Try again later.`,
  noAnswer: (server: string, verb: string) =>
    `${server} gave no answer to ${verb}; the connection was closed. Try again later.`,
  lineTooLong: () => 'that command line is too long; the connection was closed.',
  replyTooLong: (server: string) => `${server} sent a reply without end; the connection was closed.`,
  alreadySecured: () => 'this connection is already encrypted towards the server; go on without AUTH.',
  clientProtection: () => 'data is encrypted towards the server by ftpseal; keep your own side at PROT C.',
  noClearChannel: () => 'the control connection stays encrypted.',
  thirdParty: () => 'transfers between two servers are not possible while data is encrypted.',
  dataRefused: (server: string) =>
    `${server} refuses to encrypt file transfers, and policy does not allow them in clear (data.protection).`,
  modeRefused: (mode: string) => `MODE ${mode} is not supported here; use MODE S.`,
  foreignPort: () => 'data connections go to this client only, at a port above 1023.',
  epsvAll: () => 'EPSV ALL was agreed; only EPSV is accepted now.',
  wrongFamily: (use: 1 | 2) => `network protocol not supported here, use (${use}).`,
  malformed: () => "that address can't be read.",
  noDataPort: (reason: string) => `no port for the data connection is to be had (${reason}).`,
  aborted: () => 'the transfer was broken off.',
  truncated: () =>
    'the file was cut off on its way: the server said it was complete, but its end never arrived.',
  incomplete: () => 'the data connection ended before the server had the whole file.',
  noData: (reason: string) => `no data connection: ${reason}`,
} as const;
