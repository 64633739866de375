// The client programs of the soak: how each is told to do a task, and how it gives up by itself. Each has to end with a code other
// than 0 when anything of the task failed.
import { isActive, isExtended, type Mode } from '../lab/clients/client.js';
import { login } from '../lab/harness/account.js';

/** One thing to do. Paths at the server are below the login folder, local ones in the client's own folder. */
export type Piece =
  | { readonly kind: 'down'; readonly remote: string; readonly local: string }
  | { readonly kind: 'up'; readonly local: string; readonly remote: string }
  /** The names in a folder, written to a file, one a line. */
  | { readonly kind: 'names'; readonly remote: string; readonly local: string };

export interface Task {
  readonly address: string;
  readonly mode: Mode;
  readonly pieces: readonly Piece[];
  /** Bytes a second; as fast as it goes if undefined. */
  readonly rate: number | undefined;
  /** Seconds for which a client waits for a word or a byte before it gives up. */
  readonly patience: number;
}

export interface Program {
  readonly name: string;
  /** Whether one process can do these pieces in this mode at this address. */
  can(task: Task): boolean;
  argv(task: Task): readonly string[];
}

const isIpv6 = (address: string): boolean => address.includes(':');
const hostOf = (address: string): string => (isIpv6(address) ? `[${address}]` : address);
const urlOf = (task: Task, remote: string): string => `ftp://${hostOf(task.address)}/${remote}`;
const single = (task: Task): boolean => task.pieces.length === 1;
/** The commands of IPv4 alone carry no other addresses. */
const fits = ({ mode, address }: Task): boolean => isExtended(mode) || !isIpv6(address);

function curlPiece(task: Task, piece: Piece): readonly string[] {
  const { mode, rate, patience } = task;
  const way = isActive(mode)
    ? ['--ftp-port', '-', ...(isExtended(mode) ? [] : ['--disable-eprt'])]
    : ['--ftp-pasv', ...(isExtended(mode) ? [] : ['--disable-epsv'])];
  const options = ['--user', `${login.user}:${login.password}`, ...way];
  if (rate !== undefined) options.push('--limit-rate', String(rate));
  options.push('--connect-timeout', String(patience), '--speed-limit', '1', '--speed-time', String(patience));
  switch (piece.kind) {
    case 'down':
      return [...options, '--output', piece.local, urlOf(task, piece.remote)];
    case 'up':
      return [...options, '--upload-file', piece.local, urlOf(task, piece.remote)];
    case 'names':
      return [...options, '--list-only', '--output', piece.local, urlOf(task, `${piece.remote}/`)];
  }
}

export const curl: Program = {
  name: 'curl',
  can: fits,
  argv: (task) => {
    const each = task.pieces.map((piece) => curlPiece(task, piece));
    const joined = each.flatMap((one, index) => (index === 0 ? one : ['--next', '-sSv', ...one]));
    return ['curl', '--fail-early', '-sSv', ...joined];
  },
};

function lftpPiece(piece: Piece): string {
  switch (piece.kind) {
    case 'down':
      return `get ${piece.remote} -o ${piece.local}`;
    case 'up':
      return `put ${piece.local} -o ${piece.remote}`;
    case 'names':
      return `nlist ${piece.remote} > ${piece.local}`;
  }
}

/** It tries again by itself, and goes on where it was cut off. */
export const lftp: Program = {
  name: 'lftp',
  // It uses EPRT only over IPv6.
  can: (task) => fits(task) && !(task.mode === 'extended active' && !isIpv6(task.address)),
  argv: (task) => {
    const yesIf = (condition: boolean): string => (condition ? 'yes' : 'no');
    const script = [
      'set ftp:ssl-allow no',
      `set ftp:passive-mode ${yesIf(!isActive(task.mode))}`,
      `set ftp:prefer-epsv ${yesIf(isExtended(task.mode))}`,
      'set ftp:use-mlsd no',
      'set net:max-retries 3',
      `set net:timeout ${task.patience}`,
      'set net:reconnect-interval-base 1',
      'set net:persist-retries 2',
      'set cmd:fail-exit yes',
      'set xfer:clobber yes',
      ...(task.rate === undefined ? [] : [`set net:limit-rate ${task.rate}`]),
      'debug 4',
      `open -u ${login.user},${login.password} ${urlOf(task, '')}`,
      ...task.pieces.map(lftpPiece),
      'bye',
    ];
    return ['lftp', '-c', script.join('; ')];
  },
};

export const tnftp: Program = {
  name: 'tnftp',
  can: (task) => single(task) && fits(task) && task.pieces[0]?.kind !== 'names' && task.mode !== 'passive',
  argv: ({ pieces, mode, address, patience }) => {
    const piece = pieces[0];
    const options = ['-n', '-v', '-q', String(patience), isActive(mode) ? '-A' : '-p'];
    const url = (remote: string): string =>
      `ftp://${login.user}:${login.password}@${hostOf(address)}/${remote}`;
    return piece?.kind === 'up'
      ? ['tnftp', ...options, '-u', url(piece.remote), piece.local]
      : ['tnftp', ...options, '-o', piece?.local ?? '', url(piece?.remote ?? '')];
  },
};

export const wget: Program = {
  name: 'wget',
  // It takes what a wildcard or a folder names from a listing, so one file is all it is asked for.
  can: (task) => single(task) && task.pieces[0]?.kind === 'down' && fits(task),
  argv: (task) => {
    const options = ['-S', '-nv', '--tries=1', `--timeout=${task.patience}`, '--no-config', '--no-proxy'];
    if (isActive(task.mode)) options.push('--no-passive-ftp');
    if (task.rate !== undefined) options.push(`--limit-rate=${task.rate}`);
    options.push(`--user=${login.user}`, `--password=${login.password}`);
    const piece = task.pieces[0];
    return ['wget', ...options, '-O', piece?.local ?? '', urlOf(task, piece?.remote ?? '')];
  },
};

/** Python's ftplib; `script` is session.py where every user can read it, ftplib_modes.py beside it. */
export function ftplib(script: string): Program {
  return {
    name: 'ftplib',
    can: fits,
    argv: (task) => {
      const order = {
        ...login,
        patience: task.patience,
        address: task.address,
        rate: task.rate ?? 0,
        active: isActive(task.mode),
        extended: isExtended(task.mode),
        work: task.pieces.map((piece) =>
          piece.kind === 'up'
            ? [piece.kind, piece.local, piece.remote]
            : [piece.kind, piece.remote, piece.local],
        ),
      };
      return ['/usr/bin/python3', script, JSON.stringify(order)];
    },
  };
}
