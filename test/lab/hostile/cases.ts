// What hostile servers do, and what a client must see of it. `talk` is said line by line, each when the last one was answered.
export interface HostileCase {
  readonly name: string;
  readonly script: string;
  readonly talk: readonly string[];
  /** All that the client got, as text. */
  readonly sees: RegExp;
  /** Milliseconds in which the client reads nothing at the end. */
  readonly deafMs?: number;
  /** A real program instead of `talk`; its last argument is what stands behind `ftp://HOST/`. It must not end with 0. */
  readonly program?: readonly string[];
}

const LOGIN = ['USER bob', 'PASS secret'];
const TLS = `S: 220 ready
C: AUTH
S: 234 go
tls
`;
const LOGGED_IN = `${TLS}C: PBSZ
S: 200 ok
C: PROT
S: 200 ok
C: USER
S: 331 password
C: PASS
S: 230 in
`;
const CLOSED = /421 ftpseal: [^\r\n]*(?:closed the connection|can't be reached|could not be set up)/;
const NO_TLS = /^220 ready\r\n421 ftpseal: [^\r\n]+ offered encryption, but it could not be set up/;

export const CASES: readonly HostileCase[] = [
  {
    name: 'a reset instead of a greeting',
    script: 'reset',
    talk: LOGIN,
    sees: /^(?:421 ftpseal: [^\r\n]+\r\n)?$/,
  },
  {
    name: 'silence instead of a greeting',
    script: 'hold',
    talk: ['=USER bob'],
    sees: /^421 ftpseal: [^\r\n]+ gave no greeting/,
  },
  {
    name: 'a greeting of one byte a second',
    script: `drip 1000 220-{slow*40}\nhold`,
    talk: ['=USER bob'],
    sees: /421 ftpseal: [^\r\n]+ gave no greeting/,
  },
  {
    name: 'a greeting line of 1 GiB',
    script: 'S. 220\\x20\nflood 1024 {x*1000}\nhold',
    talk: LOGIN,
    sees: /^421 ftpseal: [^\r\n]+ reply without end/,
  },
  {
    name: 'a greeting without end',
    script: 'S: 220-\nflood 256 220-{more*200}\\r\\n\nshut',
    talk: [],
    deafMs: 2000,
    sees: /^$/,
  },
  {
    name: 'a reset behind the greeting',
    script: 'S: 220 ready\nwait 300\nreset',
    talk: LOGIN,
    sees: /^220 ready\r\n(?:421 ftpseal: [^\r\n]+\r\n)?$/,
  },
  {
    name: 'a reset at AUTH',
    script: 'S: 220 ready\nC: AUTH\nreset',
    talk: LOGIN,
    sees: /^220 ready\r\n421 ftpseal: /,
  },
  {
    name: 'an answer to AUTH without end',
    script: 'S: 220 ready\nC: AUTH\nS: 234-\nflood 256 {more*200}\\r\\n\nhold',
    talk: LOGIN,
    sees: /^220 ready\r\n421 ftpseal: [^\r\n]+ reply without end/,
  },
  {
    name: '234, and clear text behind it',
    script: 'S: 220 ready\nC: AUTH\nS. 234 go\\r\\n331 password\\r\\n230 in\\r\\n\nhold',
    talk: LOGIN,
    sees: /^220 ready\r\n421 ftpseal: [^\r\n]+ where only encryption may begin/,
  },
  {
    name: '234, and clear text a moment later',
    script: 'S: 220 ready\nC: AUTH\nS: 234 go\nwait 300\nS: 331 password\nhold',
    talk: LOGIN,
    sees: NO_TLS,
  },
  {
    name: '234, and half a TLS record',
    script: 'S: 220 ready\nC: AUTH\nS: 234 go\nwait 300\nS. \\x16\\x03\\x03\\x40\\x00abc\nhold',
    talk: LOGIN,
    sees: NO_TLS,
  },
  { name: '234, and a reset', script: 'S: 220 ready\nC: AUTH\nS: 234 go\nreset', talk: LOGIN, sees: NO_TLS },
  {
    name: '234, and silence',
    script: 'S: 220 ready\nC: AUTH\nS: 234 go\ndeaf\nhold',
    talk: LOGIN,
    sees: NO_TLS,
  },
  { name: 'a reset right behind the handshake', script: `${TLS}reset`, talk: LOGIN, sees: CLOSED },
  { name: 'a reset at USER', script: `${TLS}C: USER\nreset`, talk: LOGIN, sees: CLOSED },
  {
    name: 'a reset at PASS',
    script: `${TLS}C: USER\nS: 200 ok\nS: 200 ok\nS: 331 password\nC: PASS\nreset`,
    talk: LOGIN,
    sees: /331 password\r\n421 ftpseal: /,
  },
  {
    name: 'TLS cut off without a word while a command waits',
    script: `${LOGGED_IN}C: PWD\nshut`,
    talk: [...LOGIN, 'PWD'],
    sees: /230 in\r\n421 ftpseal: /,
  },
  {
    name: 'close_notify, and clear text behind it (T14)',
    script: `${LOGGED_IN}C: PWD\ngoodbye\nwait 200\nclear 257 "/forged"\\r\\n226 forged\\r\\n\nhold`,
    talk: [...LOGIN, 'PWD', 'PWD'],
    sees: /^(?![^]*forged)[^]*230 in\r\n421 ftpseal: /,
  },
  {
    name: 'clear text beside TLS',
    script: `${LOGGED_IN}C: PWD\nclear 257 "/forged"\\r\\n\nhold`,
    talk: [...LOGIN, 'PWD', 'PWD'],
    sees: /^(?![^]*forged)[^]*230 in\r\n421 ftpseal: /,
  },
  {
    name: 'a reset at PASV',
    script: `${LOGGED_IN}C: PASV\nreset`,
    talk: [...LOGIN, 'PASV'],
    sees: /230 in\r\n421 ftpseal: /,
  },
  {
    name: 'silence at PBSZ (T54)',
    script: `${TLS}hold`,
    talk: LOGIN,
    sees: /^220 ready\r\n421 ftpseal: [^\r\n]+ gave no answer to PBSZ/,
  },
  {
    name: 'silence at PROT (T54)',
    script: `${TLS}C: PBSZ\nS: 200 ok\nhold`,
    talk: LOGIN,
    sees: /^220 ready\r\n421 ftpseal: [^\r\n]+ gave no answer to PROT/,
  },
  {
    name: 'silence at PASV (T54)',
    script: `${LOGGED_IN}C: PASV\nhold`,
    talk: [...LOGIN, 'PASV'],
    sees: /230 in\r\n421 ftpseal: [^\r\n]+ gave no answer to PASV/,
  },
  {
    name: 'silence at PORT (T54)',
    script: `${LOGGED_IN}C: PASV\nS: 500 no\nC: EPSV\nS: 500 no\nC: PORT\nhold`,
    talk: [...LOGIN, 'PASV'],
    sees: /230 in\r\n421 ftpseal: [^\r\n]+ gave no answer to PORT/,
  },
  {
    name: 'an answer of one byte a second to the EPSV of curl (T54)',
    script: `${LOGGED_IN}C: PWD\nS: 257 "/"\nC: EPSV\ndrip 1000 229-{slow*40}\nhold`,
    talk: [],
    program: ['curl', '-sS', '-v', '--max-time', '100', '--user', 'bob:secret', 'f'],
    sees: /230 in[^]*< 421 ftpseal: [^\r\n]+ gave no answer to EPSV/,
  },
  {
    name: 'a data port that nobody answers, and a reset at PORT',
    script: `${LOGGED_IN}C: PASV\nS: 227 (10,22,0,9,4,1)\nC: PORT\nreset`,
    talk: [...LOGIN, 'PASV', 'RETR f'],
    sees: /227 [^\r\n]+\r\n4[25][0-9] ftpseal: /,
  },
  {
    name: 'a reply line of 1 GiB inside TLS',
    script: `${LOGGED_IN}C: PWD\nS. 257\\x20\nflood 1024 {x*1000}\nhold`,
    talk: [...LOGIN, 'PWD'],
    sees: /230 in\r\n421 ftpseal: [^\r\n]+ reply without end/,
  },
  {
    name: 'a reply without end to a client that does not read',
    script: `${LOGGED_IN}C: HELP\nS: 214-\nflood 256 {help*200}\\r\\n\nhold`,
    talk: [...LOGIN, '=HELP'],
    deafMs: 3000,
    sees: /230 in\r\n$/,
  },
  {
    name: 'a window of zero to a client that talks on',
    script: `${LOGGED_IN}deaf\nhold`,
    talk: [...LOGIN, '*NOOP'],
    deafMs: 3000,
    sees: /230 in\r\n$/,
  },
];
