// Every key of the configuration in words: what it decides, and what each of its values means.

export interface PolicyWords {
  readonly title: string;
  /** By the value as it is written; where a key takes any value, one sentence for all. */
  readonly meaning: Readonly<Record<string, string>> | string;
}

export const policyGroups: readonly { readonly title: string; readonly prefix: string }[] = [
  { title: 'Trust', prefix: 'trust.' },
  { title: 'What is left to you', prefix: 'users.' },
  { title: 'Servers without encryption', prefix: 'fallback.' },
  { title: 'File transfers', prefix: 'data.' },
  { title: 'Encryption', prefix: 'tls.' },
  { title: 'Which connections are secured', prefix: 'divert.' },
];

export const policyWords: Readonly<Record<string, PolicyWords>> = {
  mode: {
    title: 'How this server is spoken to',
    meaning: {
      '"explicit"': 'As usual: FTP that turns to encryption.',
      '"implicit"': 'Encrypted from the first byte, on a port of its own.',
      '"plain"': 'Without encryption, whatever the server offers.',
      '"tunnel"': 'Not touched: bytes are passed on as they are.',
    },
  },
  'trust.unknown': {
    title: 'A server whose key was never seen',
    meaning: {
      '"ask"': 'You are asked before anything is sent.',
      '"accept-new"': 'The first key of a server is trusted without a question; a changed one is not.',
      '"refuse"': 'Refused, until its key was added by hand.',
    },
  },
  'trust.ca_valid': {
    title: 'A certificate authority vouches for the key',
    meaning: {
      '"accept"': 'Trusted without a question, for the name that the authority vouches for.',
      '"ask"': 'You are asked all the same.',
    },
  },
  'trust.replicate': {
    title: 'A trusted key at another address',
    meaning: { '"accept"': 'Taken for the same server.', '"ask"': 'You are asked.' },
  },
  'trust.prompt_timeout': {
    title: 'How long a program waits for your answer',
    meaning: 'After that it is told to try again. When you begin to answer, it waits longer.',
  },
  'trust.store': {
    title: 'Where keys are kept',
    meaning: {
      '"keychain"': 'In your keychain, where the desktop has one.',
      '"file"': 'In a file that only the daemon reads.',
    },
  },
  'users.may_pause': {
    title: 'Pausing ftpseal',
    meaning: {
      true: 'You can let your connections pass unencrypted for a while.',
      false: 'Locked: only the administrator decides that.',
    },
  },
  'users.may_trust': {
    title: 'Trusting keys',
    meaning: {
      true: 'You answer questions about servers, and can add and delete keys of your own.',
      false:
        'Locked: only keys that the administrator or an authority vouches for count, and you are not asked.',
    },
  },
  'trust.names': {
    title: 'Where names of servers are learnt',
    meaning:
      'From what programs of this machine look up (resolver), and from certificates (certificate); besides from the program itself and from this configuration.',
  },
  'trust.ca_bundle': {
    title: 'Certificate authorities of your organisation',
    meaning: 'A file with their certificates. They are trusted besides those of this machine.',
  },
  'fallback.cleartext': {
    title: 'A server that offers no encryption',
    meaning: {
      '"allow"': 'Used as it is, without a word.',
      '"warn"': 'Used as it is, and shown as not encrypted.',
      '"ask"': 'You are asked before the password is sent.',
      '"refuse"': 'Refused; no password is sent.',
    },
  },
  'data.protection': {
    title: 'Files on the way',
    meaning: {
      '"private"': 'Always encrypted. A server that can’t do it gets no files.',
      '"clear"': 'Not encrypted; only the login is.',
      '"auto"': 'Encrypted where the server can.',
    },
  },
  'data.allow_foreign_address': {
    title: 'Files from an address other than the server’s',
    meaning: { true: 'Allowed.', false: 'Refused: it is a known way to attack.' },
  },
  'tls.min_version': {
    title: 'The oldest encryption that is good enough',
    meaning: 'Servers that can only do older versions are refused.',
  },
  'tls.mechanisms': {
    title: 'Ways to encrypt, in the order in which they are tried',
    meaning: 'Servers that offer none of them count as not encrypted.',
  },
  'divert.ports': { title: 'Ports', meaning: 'Connections to these ports are taken for FTP.' },
  'divert.layer': {
    title: 'How connections are caught',
    meaning: {
      '"nftables"': 'By the kernel’s packet filter.',
      '"tun"': 'By a network interface of ftpseal’s own.',
      '"pf"': 'By the packet filter of macOS.',
      '"auto"': 'By the packet filter where there is one, else by an interface of ftpseal’s own.',
    },
  },
  'divert.exempt_users': { title: 'Users left alone', meaning: 'Their connections are not touched.' },
  'divert.exempt_hosts': { title: 'Servers left alone', meaning: 'Connections to them are not touched.' },
  'divert.data_ports': {
    title: 'Ports for files',
    meaning: 'Used on this machine, between programs and ftpseal.',
  },
  'divert.source_ports': {
    title: 'Ports towards servers',
    meaning: 'ftpseal’s own connections come from these.',
  },
  'divert.active_ports': { title: 'Ports for active transfers', meaning: 'One for each server in use.' },
  'divert.workers': { title: 'Processor cores used', meaning: 'With 0, all of them.' },
  'divert.forwarded': {
    title: 'Connections of other machines that go through this one',
    meaning: { true: 'Secured too.', false: 'Not touched.' },
  },
  'divert.forwarded_from': {
    title: 'Which other machines',
    meaning: 'If they are secured at all: those with these addresses. Nobody else’s connections are touched.',
  },
  'divert.forwarded_sessions': {
    title: 'Connections at once for each of them',
    meaning: 'One more is refused with a sentence.',
  },
  'client.mode': {
    title: 'What becomes of the FTP of these devices',
    meaning: {
      '"secure"': 'Secured.',
      '"leave"': 'Not touched.',
      '"refuse"': 'Refused: they may not use FTP.',
    },
  },
  'divert.on_failure': {
    title: 'If ftpseal dies',
    meaning: {
      '"open"': 'FTP works as if it were not installed: not encrypted.',
      '"closed"': 'FTP is blocked until it runs again.',
    },
  },
};
