// The openssl program, which judges what ftpseal made and makes what ftpseal reads.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Workshop {
  readonly folder: string;
  readonly path: (name: string) => string;
  /** Runs openssl in the folder; throws with what it said unless it ends with 0. Returns both outputs. */
  readonly openssl: (args: readonly string[], input?: string) => string;
  /** As `openssl`, and returns whether it ended with 0. */
  readonly accepts: (args: readonly string[]) => boolean;
  readonly write: (name: string, content: string | Buffer) => string;
  readonly remove: () => void;
}

export function openWorkshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'ftpseal-cert-'));
  const run = (args: readonly string[], input = '') =>
    spawnSync('openssl', args, { cwd: folder, input, encoding: 'utf8' });
  const path = (name: string) => join(folder, name);
  return {
    folder,
    path,
    openssl: (args, input) => {
      const { status, stdout, stderr } = run(args, input);
      if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
      return stdout + stderr;
    },
    accepts: (args) => run(args).status === 0,
    write: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Why tests with a Python parent or terminal are skipped; false where they are not. */
export const withoutPython =
  spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not on this machine';

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

/** Writes `<name>.key` and a self-signed `<name>.crt` with further arguments. */
export function selfSigned(shop: Workshop, name: string, extra: readonly string[] = [], key = EC): void {
  const out = ['-nodes', '-keyout', `${name}.key`, '-out', `${name}.crt`];
  const validity = extra.includes('-days') ? [] : ['-days', '300'];
  shop.openssl(['req', '-x509', ...key, ...out, ...validity, '-subj', `/CN=${name}`, ...extra]);
}

export interface Issued {
  readonly by: string;
  readonly extensions?: string;
  readonly days?: number;
  readonly hash?: string;
}

/** Writes `<name>.key` and `<name>.crt`, issued by the authority whose files are `<by>.key` and `<by>.crt`. */
export function issued(shop: Workshop, name: string, { by, extensions, days = 300, hash }: Issued): void {
  const out = ['-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`];
  shop.openssl(['req', ...EC, ...out, '-subj', `/CN=${name}`]);
  shop.write(`${name}.ext`, extensions ?? `subjectAltName=DNS:${name}.test\n`);
  const ca = ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial', '-extfile', `${name}.ext`];
  const how = ['-days', String(days), ...(hash === undefined ? [] : [`-${hash}`]), '-out', `${name}.crt`];
  shop.openssl(['x509', '-req', '-in', `${name}.csr`, ...ca, ...how]);
}

/** An authority `root`, one below it `middle`, and a server `ftp` of that one. */
export function threeSteps(shop: Workshop): void {
  selfSigned(shop, 'root');
  issued(shop, 'middle', { by: 'root', extensions: 'basicConstraints=critical,CA:TRUE\n' });
  issued(shop, 'ftp', { by: 'middle' });
}
