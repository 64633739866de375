// The verb table: what each FTP command is to a proxy. Sources: RFC 959, 2228, 2389, 2428, 1639, 3659, 4217, 7151.

/** How the session treats a command. */
export type VerbRole =
  | 'simple' // forwarded, the reply comes back as it is
  | 'passive' // asks for a port to connect to
  | 'active' // names a port to be connected to
  | 'transfer' // opens a data connection
  | 'abort'
  | 'auth' // RFC 2228 negotiation
  | 'protection' // RFC 2228 state that belongs to ftpseal's own connection once it is secured
  | 'thirdParty' // site-to-site protection, pointless through a proxy that protects
  | 'reinitialise'
  | 'quit';

export interface VerbInfo {
  readonly role: VerbRole;
  /** May pass in clear before the connection is secured: carries no secret and changes no identity. */
  readonly harmless: boolean;
  /** The argument is a secret and never logged. */
  readonly secret: boolean;
  /** May be sent while a transfer runs; the server answers it at any time. */
  readonly outOfBand: boolean;
  /** Where the data goes, for transfers. */
  readonly direction: 'download' | 'upload';
}

const plain: VerbInfo = {
  role: 'simple',
  harmless: false,
  secret: false,
  outOfBand: false,
  direction: 'download',
};
const harmless: VerbInfo = { ...plain, harmless: true };
const secret: VerbInfo = { ...plain, secret: true };
const passive: VerbInfo = { ...plain, role: 'passive' };
const active: VerbInfo = { ...plain, role: 'active' };
const download: VerbInfo = { ...plain, role: 'transfer' };
const upload: VerbInfo = { ...plain, role: 'transfer', direction: 'upload' };
const protection: VerbInfo = { ...plain, role: 'protection' };

/** Nothing special about these, but a client that begins with one of them speaks FTP. */
const ORDINARY =
  'ALLO CDUP CWD DELE MDTM MFCT MFF MFMT MKD MLST MODE PRET PWD REST RMD RNFR RNTO SITE SIZE SMNT STRU TYPE XCUP XCWD XMKD XPWD XRMD';

const TABLE: ReadonlyMap<string, VerbInfo> = new Map<string, VerbInfo>([
  ...ORDINARY.split(' ').map((verb): [string, VerbInfo] => [verb, plain]),
  ['FEAT', harmless],
  ['SYST', harmless],
  ['HELP', harmless],
  ['CLNT', harmless],
  ['OPTS', harmless],
  ['HOST', harmless],
  ['LANG', harmless],
  ['NOOP', { ...harmless, outOfBand: true }],
  ['QUIT', { ...harmless, role: 'quit', outOfBand: true }],
  ['STAT', { ...plain, outOfBand: true }],
  ['USER', plain],
  ['PASS', secret],
  ['ACCT', secret],
  ['ADAT', { ...secret, role: 'auth' }],
  ['AUTH', { ...plain, role: 'auth' }],
  ['PBSZ', protection],
  ['PROT', protection],
  ['CCC', protection],
  ['MIC', { ...protection, secret: true }],
  ['CONF', { ...protection, secret: true }],
  ['ENC', { ...protection, secret: true }],
  ['CPSV', { ...plain, role: 'thirdParty' }],
  ['SSCN', { ...plain, role: 'thirdParty' }],
  ['PASV', passive],
  ['EPSV', passive],
  ['LPSV', passive],
  ['PORT', active],
  ['EPRT', active],
  ['LPRT', active],
  ['RETR', download],
  ['LIST', download],
  ['NLST', download],
  ['MLSD', download],
  ['STOR', upload],
  ['STOU', upload],
  ['APPE', upload],
  ['ABOR', { ...plain, role: 'abort', outOfBand: true }],
  ['REIN', { ...plain, role: 'reinitialise' }],
]);

/** What the table says of a verb, which must be in upper case; unknown verbs are simple and not harmless. */
export function verbInfo(verb: string): VerbInfo {
  return TABLE.get(verb) ?? plain;
}

/** A verb as the table writes it. ASCII only: the capital of \u00df would be SS, and make other verbs of what is none. */
export function canonicalVerb(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** Every verb of the table. */
export const KNOWN_VERBS: readonly string[] = [...TABLE.keys()];

/** The verbs with which a client that was taken for something else shows that it speaks FTP after all. */
export const FTP_GIVEAWAYS: readonly string[] = ['USER', 'PASS', 'ACCT', 'AUTH'];
