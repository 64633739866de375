// Reads keys, certificates and requests out of files in whatever form they come: PEM (several in one file too), DER, PKCS#12,
// keys encrypted or not. What belongs to what is not judged here.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { Fault } from '../../shared/fault.js';
import { childrenOf, decode, oidOf } from './der.js';
import { isPkcs12, openPkcs12 } from './pkcs12.js';

/** A file as it was read. */
export interface InputFile {
  /** As it is named in sentences. */
  readonly name: string;
  readonly bytes: Buffer;
}

export interface FoundKey {
  readonly file: string;
  readonly key: KeyObject;
}

export interface FoundCertificate {
  readonly file: string;
  readonly certificate: X509Certificate;
}

/** Everything that the files hold, in the order of the files; the same certificate twice counts once. */
export interface Material {
  readonly keys: readonly FoundKey[];
  readonly certificates: readonly FoundCertificate[];
  /** Requests for certificates (PKCS#10), in DER. */
  readonly requests: readonly Buffer[];
}

/**
 * Gives the passphrase of a file. Called again with `isRetry` when it was wrong; `undefined` then gives up. Throws a
 * Fault where there is nobody to ask.
 */
export type AskPassphrase = (file: string, isRetry: boolean) => Promise<string | undefined>;

/** Far more than any key with its chain. */
export const FILE_BYTES_MAX = 1024 * 1024;
/** Certificates of one import; a chain has three or four. */
const CERTIFICATES_MAX = 100;

/** Reads all files. Throws a Fault of code `key` that names the file and says what is wrong with it. */
export async function readMaterial(files: readonly InputFile[], ask: AskPassphrase): Promise<Material> {
  const keys: FoundKey[] = [];
  const certificates: FoundCertificate[] = [];
  const requests: Buffer[] = [];
  for (const file of files) {
    const found = await readFile(file, ask);
    keys.push(...found.keys.map((key) => ({ file: file.name, key })));
    for (const certificate of found.certificates) {
      const isKnown = certificates.some((other) => other.certificate.raw.equals(certificate.raw));
      if (!isKnown) certificates.push({ file: file.name, certificate });
    }
    requests.push(...found.requests);
  }
  if (certificates.length > CERTIFICATES_MAX) {
    throw new Fault(
      'key',
      `These are ${certificates.length} certificates; give the server's own and those between it and its authority.`,
    );
  }
  return { keys, certificates, requests };
}

interface Found {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly X509Certificate[];
  readonly requests: readonly Buffer[];
}

const nothing: Found = { keys: [], certificates: [], requests: [] };

async function readFile(file: InputFile, ask: AskPassphrase): Promise<Found> {
  if (file.bytes.length > FILE_BYTES_MAX) {
    throw new Fault('key', `${file.name} is larger than a mebibyte; that is no key and no certificate.`);
  }
  const text = file.bytes.toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g)];
  if (blocks.length === 0) return readDer(file, ask);
  const all: Found[] = [];
  for (const [pem, label = ''] of blocks) all.push(await readPem({ file: file.name, pem, label }, ask));
  return joined(all);
}

function joined(all: readonly Found[]): Found {
  return {
    keys: all.flatMap((one) => one.keys),
    certificates: all.flatMap((one) => one.certificates),
    requests: all.flatMap((one) => one.requests),
  };
}

interface PemBlock {
  readonly file: string;
  readonly pem: string;
  readonly label: string;
}

async function readPem({ file, pem, label }: PemBlock, ask: AskPassphrase): Promise<Found> {
  if (/^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label)) {
    return { ...nothing, certificates: [certificateOf(file, pem)] };
  }
  if (/^(?:NEW )?CERTIFICATE REQUEST$/.test(label)) {
    return { ...nothing, requests: [Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')] };
  }
  if (label === 'OPENSSH PRIVATE KEY') {
    throw new Fault(
      'key',
      `${file} holds a key for SSH, which TLS can't use; make one with: ftpseal cert create`,
    );
  }
  if (label === 'PKCS7' || label === 'CMS') throw isPkcs7(file);
  if (label.endsWith('PRIVATE KEY')) {
    const isEncrypted =
      label.startsWith('ENCRYPTED') || pem.includes('ENCRYPTED\n') || pem.includes('ENCRYPTED\r');
    const read = (passphrase?: string) => privateKey({ key: pem, format: 'pem' }, passphrase);
    return { ...nothing, keys: [isEncrypted ? await unlock(file, read, ask) : openKey(file, read)] };
  }
  // Parameters of curves and Diffie-Hellman groups stand in files of old, and are of no use today.
  return nothing;
}

async function readDer(file: InputFile, ask: AskPassphrase): Promise<Found> {
  const der = file.bytes;
  const parts = childrenOf(decode(der));
  if (isPkcs12(der)) return readPkcs12(file, ask);
  if (oidOf(parts[0])?.startsWith('1.2.840.113549.1.7.') === true) throw isPkcs7(file.name);
  const certificate = attempt(() => new X509Certificate(der));
  if (certificate !== undefined) return { ...nothing, certificates: [certificate] };
  const key = derKey(der);
  if (key !== undefined) return { ...nothing, keys: [key] };
  // EncryptedPrivateKeyInfo: an algorithm of PKCS#5 or PKCS#12, and bytes.
  if (/^1\.2\.840\.113549\.1\.(?:5|12)\./.test(oidOf(childrenOf(parts[0])[0]) ?? '')) {
    const read = (passphrase?: string) => privateKey({ key: der, format: 'der', type: 'pkcs8' }, passphrase);
    return { ...nothing, keys: [await unlock(file.name, read, ask)] };
  }
  if (parts.length === 3) return { ...nothing, requests: [der] };
  throw new Fault(
    'key',
    `${file.name} is neither a key nor a certificate that can be read (PEM, DER or PKCS#12); it is damaged or something else.`,
  );
}

async function readPkcs12(file: InputFile, ask: AskPassphrase): Promise<Found> {
  const open = (passphrase?: string) => openPkcs12(file.bytes, passphrase ?? '');
  // Many are without passphrase, which is an empty one.
  const content = open() ?? (await unlock(file.name, open, ask));
  const keys = content.keys.map((der) =>
    openKey(file.name, () => privateKey({ key: der, format: 'der', type: 'pkcs8' })),
  );
  return { ...nothing, keys, certificates: content.certificates.map((der) => certificateOf(file.name, der)) };
}

async function unlock<T>(
  file: string,
  read: (passphrase: string) => T | undefined,
  ask: AskPassphrase,
): Promise<T> {
  for (let isRetry = false; ; isRetry = true) {
    const passphrase = await ask(file, isRetry);
    if (passphrase === undefined) {
      throw new Fault('key', `The passphrase for ${file} is wrong, or the file is damaged.`);
    }
    const result = read(passphrase);
    if (result !== undefined) return result;
  }
}

function openKey(file: string, read: () => KeyObject | undefined): KeyObject {
  const key = read();
  if (key !== undefined) return key;
  throw new Fault('key', `The private key in ${file} can't be read; it is damaged or of an unknown kind.`);
}

interface KeyInput {
  readonly key: string | Buffer;
  readonly format: 'pem' | 'der';
  readonly type?: 'pkcs1' | 'pkcs8' | 'sec1';
}

function privateKey(input: KeyInput, passphrase?: string): KeyObject | undefined {
  return attempt(() => createPrivateKey(passphrase === undefined ? input : { ...input, passphrase }));
}

function derKey(der: Buffer): KeyObject | undefined {
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    const key = privateKey({ key: der, format: 'der', type });
    if (key !== undefined) return key;
  }
  return undefined;
}

function certificateOf(file: string, from: string | Buffer): X509Certificate {
  const certificate = attempt(() => new X509Certificate(from));
  if (certificate !== undefined) return certificate;
  throw new Fault('key', `A certificate in ${file} can't be read; it is damaged or of an unknown form.`);
}

function isPkcs7(file: string): Fault {
  return new Fault(
    'key',
    `${file} is a PKCS#7 file (.p7b), which holds certificates only; turn it into PEM with: openssl pkcs7 -print_certs`,
  );
}

/** The parsers of Node throw for every input that is none of theirs; what it is instead is found out by the caller. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
