// The vectors: what a proxy like this must survive. Each number stands in the names of the tests that show it; `npm run vectors`
// looks for them, runs them and prints this table with the results.

/** One vector. */
export interface Vector {
  readonly number: string;
  readonly done: string;
  /** What the client saw. */
  readonly seen: string;
  /** What of it can't be shown on Linux in the lab, and why. */
  readonly elsewhere: string | undefined;
}

function vector(number: string, done: string, seen: string, elsewhere?: string): Vector {
  return { number, done, seen, elsewhere };
}

export const VECTORS: readonly Vector[] = [
  vector(
    'T01',
    'replies injected behind 220, 234 and others, cut at every byte',
    '421 or the genuine replies only',
  ),
  vector('T02', 'the same behind 334, 335 and 235', '421 or the genuine replies only'),
  vector('T03', 'commands pipelined behind USER', 'their answers, in order; they crossed inside TLS only'),
  vector('T04', 'a 230 greeting', 'the greeting; AUTH comes first all the same'),
  vector('T05', 'FEAT without AUTH', 'the answer to FEAT; AUTH comes first all the same'),
  vector('T06', 'AUTH refused, hung up on, not answered', 'one decision: 421 or a login in clear by policy'),
  vector('T07', '234 and then no handshake', '421, nothing in clear, no second connection'),
  vector('T08', 'a server that was secure refuses AUTH', '421, and a question stays for the person'),
  vector('T09', 'several mechanisms are offered', 'nothing; the stronger one is taken'),
  vector('T10', 'odd, endless and broken replies', 'what is a reply; 421 where there is no end'),
  vector('T11', 'PBSZ and PROT refused before login', 'nothing; they are asked again after it'),
  vector(
    'T12',
    'PROT P refused; a server that begins with TLS',
    '522 to transfers; bytes passed through, or 421',
  ),
  vector('T13', 'the client encrypts itself', 'its own TLS end to end; 503, 534, 536 where it is too late'),
  vector(
    'T14',
    'CCC; close_notify and clear text on the control connection',
    '534; 421 and nothing of the clear text',
  ),
  vector('T15', 'REIN', 'its answer; the protection stays or the session ends'),
  vector('T20', 'new, same, changed and moved keys', 'nothing, a question, or 421 that says what changed'),
  vector('T21', 'renewed, foreign and unfitting certificates', 'as policy says; only the right name vouches'),
  vector('T22', 'another certificate on the data connection', '425 or 426; the session lives'),
  vector('T23', 'late, missing and many answers to a question', 'one question; a 421 that says what to do'),
  vector('T24', 'somebody else answers; wrong fingerprints', 'nothing; the question stays open'),
  vector('T25', 'the keychain is locked or gone', '421 that says so'),
  vector('T30', 'odd and foreign addresses in 227 and 229', 'its own port; the server’s address is taken'),
  vector('T31', 'PORT and EPRT to somebody else or a system port', '504, 501 or 522'),
  vector('T32', 'somebody else takes the client’s data port', 'its file all the same'),
  vector('T33', 'somebody else is first at the server’s data port', 'never a 226'),
  vector(
    'T34',
    'resumption on data connections, every client and server of the lab',
    'its files',
    'FileZilla Server and IIS run on Windows; six idle minutes at ProFTPD are not waited for',
  ),
  vector('T35', 'ends of uploads', '226 only when the server has all'),
  vector('T36', 'downloads cut by FIN, RESET and lost records', 'a reset data connection and 426'),
  vector('T37', 'replies before and behind the data’s end, missing 150', 'each once, in order'),
  vector('T38', 'ABOR, STAT, NOOP, QUIT and hanging up in the middle', 'each answered once'),
  vector('T39', 'PASV and PORT in every order, EPSV ALL, no PORT', 'its data; 503 behind EPSV ALL'),
  vector('T40', 'types, modes, REST, STOU, SITE, names of any bytes', 'what the server said'),
  vector('T41', 'ALPN and SNI', 'nothing; a name only, and never an address'),
  vector(
    'T50',
    'our own connections, other rules, flushes, both families',
    'nothing; each stays encrypted',
    'containers, WSL and VPN clients are not in the lab; firewalld is shown as a foreign table and a flush',
  ),
  vector(
    'T51',
    'kills and upgrades of every process',
    'reset or in clear, as configured',
    'sleep and resume need real hardware',
  ),
  vector('T52', 'what is not FTP at port 21', 'its own bytes'),
  vector('T53', 'loops and servers on this machine', 'the server, untouched'),
  vector('T54', '500 sessions, slow and endless peers', 'its answers; the others never notice'),
];
