// `ftpseal cert create|csr|import|show`: certificates for servers, made and looked at without OpenSSL's command line.
import { X509Certificate, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Fault } from '../../shared/fault.js';
import {
  formatAlternativeName,
  parseAlternativeName,
  type AlternativeName,
} from '../cert/alternative-name.js';
import { knownAuthorities } from '../cert/authorities.js';
import { chainOf, pairUp } from '../cert/chain.js';
import { writeFiles, type NewFile } from '../cert/file-set.js';
import { findingSentence, judgeChain } from '../cert/findings.js';
import { formatPem, makeCertificate, makeRequest, type Subject } from '../cert/issuing.js';
import { FILE_BYTES_MAX, readMaterial, type InputFile, type Material } from '../cert/material.js';
import { formatPrivateKey, makePrivateKey, parseKeyKind, weaknessOf } from '../cert/private-key.js';
import { readRequest } from '../cert/request.js';
import { summarizeCertificate } from '../relay/certificate-summary.js';
import { passphraseSource } from './cert-passphrase.js';
import {
  certificateJson,
  certificateText,
  findingsJson,
  findingsText,
  keyJson,
  privateKeyText,
  requestText,
} from './cert-text.js';
import { show, type JsonOption } from './output.js';

interface SubjectOptions extends JsonOption {
  readonly organization?: string;
  readonly country?: string;
  readonly out?: string;
  readonly force?: boolean;
}

export interface CreateOptions extends SubjectOptions {
  readonly keyType: string;
  readonly days: string;
  readonly joint?: boolean;
}

const DAY = 86_400_000;
/** Clocks of clients are wrong by minutes. */
const BACKDATED = 3_600_000;

export async function certCreate(names: readonly string[], options: CreateOptions): Promise<void> {
  const subject = subjectOf(names, options);
  const days = parseDays(options.days);
  const key = await makePrivateKey(parseKeyKind(options.keyType));
  const now = Date.now();
  const validity = { from: new Date(now - BACKDATED), to: new Date(now + days * DAY) };
  const certificate = new X509Certificate(makeCertificate(subject, key, validity));
  const base = options.out ?? baseName(subject.names[0]);
  const files: readonly NewFile[] = [
    keyFile(base, key),
    { path: `${base}.crt`, content: formatPem('CERTIFICATE', certificate.raw), access: 'public' },
    requestFile(base, subject, key),
    ...(options.joint === true ? [jointFile(base, key, [certificate])] : []),
  ];
  await writeFiles(files, { overwrite: options.force === true });
  const paths = files.map((file) => file.path);
  show({ files: paths, ...certificateJson(certificate) }, options, () =>
    [
      `Written: ${paths.join(', ')}`,
      certificateText(certificate),
      'Give the line "Key" to the users of your server: their first question will show it.',
    ].join('\n'),
  );
}

export interface RequestOptions extends SubjectOptions {
  readonly key?: string;
  readonly keyType: string;
  readonly passphraseFile?: string;
}

export async function certRequest(names: readonly string[], options: RequestOptions): Promise<void> {
  const subject = subjectOf(names, options);
  const given = options.key === undefined ? undefined : await givenKey(options.key, options.passphraseFile);
  const key = given ?? (await makePrivateKey(parseKeyKind(options.keyType)));
  const base = options.out ?? baseName(subject.names[0]);
  const files = [...(given === undefined ? [keyFile(base, key)] : []), requestFile(base, subject, key)];
  await writeFiles(files, { overwrite: options.force === true });
  const paths = files.map((file) => file.path);
  const asked = subject.names.map(formatAlternativeName);
  show({ files: paths, names: asked, ...keyJson(key) }, options, () =>
    [
      `Written: ${paths.join(', ')}`,
      privateKeyText(key),
      `Send ${base}.csr to the authority; then run: ftpseal cert import ${options.key ?? `${base}.key`} <what it sends back>`,
    ].join('\n'),
  );
}

async function givenKey(file: string, passphraseFile: string | undefined): Promise<KeyObject> {
  const { keys } = await readMaterial([await readInput(file)], passphraseSource(passphraseFile));
  const [first] = keys;
  if (first === undefined) throw new Fault('key', `There is no private key in ${file}.`);
  const weak = weaknessOf(first.key);
  if (weak === undefined) return first.key;
  throw new Fault(
    'key',
    `The key in ${file} (${weak}) is too weak for a new certificate; leave --key out for a new one.`,
  );
}

export interface ImportOptions extends JsonOption {
  readonly out?: string;
  readonly joint?: boolean;
  readonly authority?: string;
  readonly strict?: boolean;
  readonly force?: boolean;
  readonly passphraseFile?: string;
}

export async function certImport(names: readonly string[], options: ImportOptions): Promise<void> {
  const material = await readAll(names, options.passphraseFile);
  const authorities = knownAuthorities(await authorityText(options.authority));
  const { key, chain } = pairUp(material, authorities);
  const findings = judgeChain(chain, Date.now());
  if (options.strict === true && findings.length > 0) {
    throw new Fault(
      'key',
      `Nothing was written, because clients would object:\n${findings.map((one) => `  ${findingSentence(one)}`).join('\n')}`,
    );
  }
  const base = options.out ?? baseName(firstName(chain.leaf));
  const files: readonly NewFile[] = [
    keyFile(base, key),
    { path: `${base}.crt`, content: chainPem(chain.sent), access: 'public' },
    ...(options.joint === true ? [jointFile(base, key, chain.sent)] : []),
  ];
  await writeFiles(files, { overwrite: options.force === true });
  const paths = files.map((file) => file.path);
  const json = { files: paths, chain: chain.sent.map(certificateJson), findings: findingsJson(findings) };
  show(json, options, () =>
    [
      `Written: ${paths.join(', ')}${chain.isInOrder ? '' : ', in the right order'}`,
      certificateText(chain.leaf),
      ...(findings.length > 0 ? [findingsText(findings)] : []),
    ].join('\n'),
  );
}

export interface ShowOptions extends JsonOption {
  readonly authority?: string;
  readonly passphraseFile?: string;
}

export async function certShow(names: readonly string[], options: ShowOptions): Promise<void> {
  const material = await readAll(names, options.passphraseFile);
  const given = material.certificates.map(({ certificate }) => certificate);
  const chain = chainOf(given, knownAuthorities(await authorityText(options.authority)));
  const findings = chain === undefined ? [] : judgeChain(chain, Date.now());
  const requests = material.requests.map(readRequest);
  const keys = material.keys.map(({ key }) => key);
  if (given.length + requests.length + keys.length === 0) {
    throw new Fault('key', 'There is neither a certificate nor a key nor a request in what was given.');
  }
  const json = {
    certificates: given.map(certificateJson),
    keys: keys.map(keyJson),
    requests: requests.map(({ commonName, names: asked, publicKey }) => ({
      commonName: commonName ?? null,
      names: asked,
      ...keyJson(publicKey),
    })),
    findings: findingsJson(findings),
  };
  show(json, options, () =>
    [
      ...given.map(certificateText),
      ...keys.map(privateKeyText),
      ...requests.map(requestText),
      ...(findings.length > 0 ? [findingsText(findings)] : []),
    ].join('\n\n'),
  );
}

function subjectOf(names: readonly string[], options: SubjectOptions): Subject {
  const { organization, country } = options;
  if (country !== undefined && !/^[A-Z]{2}$/.test(country)) {
    throw new Fault('usage', `"${country}" is no country; give two capital letters, such as DE.`);
  }
  if (organization !== undefined && !/^[^\p{Cc}]{1,64}$/u.test(organization)) {
    throw new Fault('usage', 'The organization must have 1 to 64 characters.');
  }
  return { names: names.map(parseAlternativeName), organization, country };
}

function parseDays(text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 36_500) return Number(text);
  throw new Fault('usage', '--days must be a number from 1 to 36500.');
}

async function readAll(names: readonly string[], passphraseFile: string | undefined): Promise<Material> {
  const files: InputFile[] = [];
  for (const name of names) files.push(await readInput(name));
  return readMaterial(files, passphraseSource(passphraseFile));
}

/** One byte more than is allowed, so that the reader can tell. */
async function readInput(name: string): Promise<InputFile> {
  try {
    const file = await open(name, 'r');
    try {
      const bytes = Buffer.alloc(FILE_BYTES_MAX + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = (await file.read(bytes, length, bytes.length - length, null)).bytesRead;
      }
      return { name, bytes: bytes.subarray(0, length) };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Fault('usage', `${name} can't be read.`, error);
  }
}

async function authorityText(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : (await readInput(file)).bytes.toString('latin1');
}

function keyFile(base: string, key: KeyObject): NewFile {
  return { path: `${base}.key`, content: formatPrivateKey(key), access: 'secret' };
}

function requestFile(base: string, subject: Subject, key: KeyObject): NewFile {
  const content = formatPem('CERTIFICATE REQUEST', makeRequest(subject, key));
  return { path: `${base}.csr`, content, access: 'public' };
}

function jointFile(base: string, key: KeyObject, chain: readonly X509Certificate[]): NewFile {
  return { path: `${base}.pem`, content: formatPrivateKey(key) + chainPem(chain), access: 'secret' };
}

function chainPem(chain: readonly X509Certificate[]): string {
  return chain.map((certificate) => formatPem('CERTIFICATE', certificate.raw)).join('');
}

function firstName(certificate: X509Certificate): AlternativeName | undefined {
  for (const text of summarizeCertificate(certificate, '').names) {
    try {
      return parseAlternativeName(text);
    } catch {
      // A name that no server of today has; the next one may do as a file's name.
    }
  }
  return undefined;
}

/** A wildcard and the colons of an address are no good in names of files. */
function baseName(name: AlternativeName | undefined): string {
  return name === undefined ? 'server' : formatAlternativeName(name).replace(/[*:]/g, '_');
}
