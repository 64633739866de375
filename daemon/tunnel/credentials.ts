// The files of a tunnel: its own certificate and key, and the authorities that it believes.
import type { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../shared/fault.js';
import { certificatesIn } from '../cert/authorities.js';
import { pairUp } from '../cert/chain.js';
import { formatPem } from '../cert/issuing.js';
import { FILE_BYTES_MAX, readMaterial, type AskPassphrase } from '../cert/material.js';
import { formatPrivateKey } from '../cert/private-key.js';
import { authoritiesWith } from '../relay/machine-authorities.js';

export interface CredentialWords {
  /** `-C`: certificate, its chain, and the key unless `key` says otherwise. */
  readonly certificate: string | undefined;
  /** `-K`. */
  readonly key: string | undefined;
  /** `-D`. */
  readonly folder: string | undefined;
  readonly passphrase: AskPassphrase;
}

/** As tls.createSecureContext takes them. */
export interface Credentials {
  readonly key: string;
  readonly cert: string;
}

/** Where `<folder>/sst.pem` is looked for without `-D`. */
export const DEFAULT_FOLDER = '/etc/ftpseal';
/** One file with key and certificate, named as sst named it. */
const JOINT_FILE = 'sst.pem';
const AUTHORITY_FILES_MAX = 1000;

/** The own certificate. Throws a Fault that says which file lacks what. */
export async function loadCredentials(words: CredentialWords): Promise<Credentials> {
  const certificate = words.certificate ?? join(words.folder ?? DEFAULT_FOLDER, JOINT_FILE);
  const names = [certificate, ...(words.key === undefined || words.key === certificate ? [] : [words.key])];
  const files = [];
  for (const name of names)
    files.push({ name, bytes: await readBounded(name, words.certificate === undefined) });
  const { key, chain } = pairUp(await readMaterial(files, words.passphrase), []);
  return {
    key: formatPrivateKey(key),
    cert: chain.sent.map((one) => formatPem('CERTIFICATE', one.raw)).join(''),
  };
}

async function readBounded(name: string, isDefault: boolean): Promise<Buffer> {
  try {
    if ((await stat(name)).size > FILE_BYTES_MAX) {
      throw new Fault('key', `${name} is larger than a mebibyte; that is no key and no certificate.`);
    }
    return await readFile(name);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const advice = isDefault
      ? ' Give -C file with certificate and key; make one with: ftpseal cert create <name> --joint'
      : '';
    throw new Fault('key', `${name} can't be read.${advice}`, error);
  }
}

/**
 * All certificates in a folder (every file that holds some); without one the machine's authorities, and the organisation's own, for
 * which `further` is asked then. In PEM; undefined: Node's own list.
 */
export async function loadAuthorities(
  folder: string | undefined,
  further: () => Promise<string | undefined>,
): Promise<readonly string[] | undefined> {
  if (folder === undefined) return authoritiesWith(await further());
  const texts: string[] = [];
  for (const name of await filesIn(folder)) texts.push(await readText(join(folder, name)));
  const found = texts.flatMap((text) => certificatesIn(text).map(toPem));
  if (found.length === 0)
    throw new Fault('key', `There is no certificate of an authority in ${folder} (PEM files).`);
  return found;
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort().slice(0, AUTHORITY_FILES_MAX);
  } catch (error) {
    throw new Fault('usage', `The folder ${folder} can't be read.`, error);
  }
}

/** A folder, a key that is not ours to read or something huge is no authority. */
async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    return size > FILE_BYTES_MAX ? '' : await readFile(path, 'latin1');
  } catch {
    return '';
  }
}

function toPem(certificate: X509Certificate): string {
  return formatPem('CERTIFICATE', certificate.raw);
}
