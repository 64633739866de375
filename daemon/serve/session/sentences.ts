// The replies that the server proxy gives by itself: what happened, what it means, what to do.

export const sentences = {
  loginNeedsProtection: (words: string) =>
    `this server takes logins over an encrypted connection only; send AUTH ${words} first, or set your program to FTP over TLS.`,
  nothingBeforeProtection: () => 'this command is for encrypted connections only; send AUTH first.',
  begunInClear: () =>
    'this conversation began without encryption; connect again and send AUTH before anything else.',
  alreadySecured: () => 'this connection is encrypted already.',
  unknownMechanism: (words: string) => `this mechanism is not offered here. LIST=${words}`,
  agreed: (word: string) => `AUTH ${word} accepted; begin TLS now.`,
  injected: () =>
    'something was sent behind AUTH, where only encryption may begin; somebody may be in between.',
  noProtectionYet: () => 'there is no encryption yet; send AUTH first.',
  bufferSize: () => 'PBSZ takes a number; with TLS it is 0.',
  bufferSizeFirst: () => 'send PBSZ 0 before PROT.',
  levelClear: () => 'data connections are not encrypted from now on.',
  levelPrivate: () => 'data connections are encrypted from now on.',
  levelRefused: () => 'TLS protects data whole (P) or not at all (C).',
  levelUnknown: () => 'that protection level is not known; use P or C.',
  clearRefused: () => 'this server wants data encrypted; use PROT P.',
  clearTransferRefused: () =>
    'this server transfers files over encrypted connections only; send PBSZ 0 and PROT P first.',
  noClearChannel: () => 'the control connection stays encrypted.',
  notHere: () => 'this command is for other mechanisms than TLS.',
  thirdParty: () => 'transfers between two servers are refused here.',
  reinitialise: () => 'an encrypted connection can’t start anew; connect again instead.',
  unknownCommand: () => 'unknown command; while data is encrypted only known ones are passed on.',
  unclean: () => 'a command line must not hold CR or NUL.',
  loginTooLate: () => 'no login came in time; the connection was closed.',
  handshakeTooLate: () => 'the encryption was not set up in time; the connection was closed.',
  replyTooLong: () =>
    'the FTP server behind this one gave a line that is too long to be protected; the connection was closed.',
  noFtp: () => 'the FTP server behind this one gave no FTP greeting.',
  lineTooLong: () => 'that command line is too long; the connection was closed.',
} as const;
