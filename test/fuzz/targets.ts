// What is fuzzed beside the core: everything that reads what others wrote. A target throws when a promise is broken; a Fault with a
// sentence is a promise kept.
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readMaterial } from '../../daemon/cert/material.js';
import { parseConfig } from '../../daemon/config-load.js';
import { FrameLimiter } from '../../daemon/ipc/frame-limiter.js';
import { describeKey, summarizeCertificate } from '../../daemon/relay/certificate-summary.js';
import { parseKeyText } from '../../daemon/security/safetp/key-text.js';
import { keyFileSchema } from '../../daemon/trust/pin-record.js';
import { fingerprintOfCertificate, parseGivenKey } from '../../daemon/trust/spki.js';
import { Fault } from '../../shared/fault.js';
import { groupFingerprint, parseFingerprint } from '../../shared/fingerprint.js';
import { certificateSummarySchema } from '../../shared/trust.js';
import { orFault } from './or-fault.js';
import { SAFETP_TARGETS } from './safetp-targets.js';

export interface Target {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  readonly run: (input: Buffer) => void | Promise<void>;
}

const certificate = makeCertificate();
const digest = createHash('sha256').update('key').digest();
const fingerprint = `SHA256:${digest.toString('base64').replace(/=+$/, '')}`;

const KEY_FILE = JSON.stringify({
  version: 1,
  pins: [
    {
      owner: { kind: 'user', uid: 1000 },
      address: '192.0.2.1',
      port: 21,
      name: 'ftp.example.com',
      fingerprint,
      mechanism: 'TLS',
      caValidFor: 'ftp.example.com',
      firstSeen: 1,
      lastUsed: 2,
      count: 3,
      revoked: false,
      comment: 'a comment',
      label: 'a label',
    },
  ],
  secured: [{ owner: { kind: 'machine' }, address: '192.0.2.1', port: 21, lastSecured: 1 }],
  cleartext: [],
});

const CONFIG = `[trust]
unknown = "ask"
prompt_timeout = 45
[fallback]
cleartext = "warn"
[data]
protection = "private"
[tls]
mechanisms = ["TLS", "X-SafeTP1"]
[[host]]
match = "*.example.com:2121"
mode = "implicit"
`;

export const TARGETS: readonly Target[] = [
  {
    name: 'frames',
    seeds: texts('Content-Length: 2\r\n\r\n{}Content-Length: 13\r\nContent-Type: x\r\n\r\n{"id":1,"a":2}'),
    run: readFrames,
  },
  { name: 'config', seeds: texts(CONFIG), run: readConfig },
  { name: 'key-file', seeds: texts(KEY_FILE), run: readKeyFile },
  {
    name: 'fingerprint',
    seeds: texts(
      fingerprint,
      digest.toString('hex'),
      digest
        .toString('hex')
        .replace(/..(?=.)/g, '$&:')
        .toUpperCase(),
      `sha256 Fingerprint=${digest.toString('hex')}`,
    ),
    run: readFingerprint,
  },
  {
    name: 'given-key',
    seeds: [...texts(fingerprint, certificate.toString()), publicKey()],
    run: readGivenKey,
  },
  { name: 'certificate', seeds: [certificate.raw], run: readCertificate },
  { name: 'key-material', seeds: [certificate.raw, ...texts(certificate.toString())], run: readKeyMaterial },
  ...SAFETP_TARGETS,
];

function texts(...all: readonly string[]): readonly Buffer[] {
  return all.map((text) => Buffer.from(text));
}

function readFrames(input: Buffer): void {
  const whole = framesIn([input]);
  const bytewise = framesIn(Array.from(input, (_, at) => input.subarray(at, at + 1)));
  if (whole !== bytewise) throw new Error(`cut anew it is something else: ${whole}, ${bytewise}`);
}

/** How many frames there are, and whether the stream was broken off. */
function framesIn(chunks: readonly Buffer[]): string {
  const seen = { frames: 0, broken: false };
  const limiter = new FrameLimiter(1000, () => {
    seen.frames += 1;
  });
  for (const chunk of chunks) {
    if (seen.broken) break;
    limiter._transform(chunk, 'binary', (error) => {
      seen.broken = error instanceof Error;
    });
  }
  limiter.destroy();
  return `${seen.frames} ${seen.broken ? 'broken' : 'whole'}`;
}

function readConfig(input: Buffer): void {
  orFault('config', () => parseConfig(input.toString('utf8'), 'config.toml'));
}

function readKeyFile(input: Buffer): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(input.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return;
    throw error;
  }
  const read = keyFileSchema.safeParse(parsed);
  if (!read.success) return;
  const again = keyFileSchema.parse(JSON.parse(JSON.stringify(read.data)));
  if (JSON.stringify(again) !== JSON.stringify(read.data))
    throw new Error('written and read again it is another one');
}

function readFingerprint(input: Buffer): void {
  const read = parseFingerprint(input.toString('utf8'));
  if (read === undefined) return;
  if (!/^SHA256:[A-Za-z0-9+/]{43}$/.test(read)) throw new Error('it is not canonical');
  if (parseFingerprint(read) !== read) throw new Error('read again it is another one');
  if (parseFingerprint(groupFingerprint(read)) !== read) throw new Error('in groups it can’t be read');
}

function readGivenKey(input: Buffer): void {
  const text = input.toString('utf8');
  orFault('key', () => parseGivenKey(text));
  orFault('key', () => parseKeyText(text));
}

function readCertificate(input: Buffer): void {
  orFault('key', () => fingerprintOfCertificate(input));
  const read = certificateIn(input);
  if (read === undefined) return;
  const summary = summarizeCertificate(read, keyTypeOf(read));
  certificateSummarySchema.parse(summary);
  if (/[\x00-\x1f\x7f\u202a-\u202e]/.test(JSON.stringify(summary)))
    throw new Error('it holds what a terminal obeys');
}

/** The key of a certificate may be of a kind that nobody can read; the TLS library refuses such a one before. */
function keyTypeOf(read: X509Certificate): string {
  try {
    return describeKey(read);
  } catch (error) {
    if (isReadable(read)) throw error;
    return 'unknown';
  }
}

function isReadable(read: X509Certificate): boolean {
  try {
    return read.publicKey.type === 'public';
  } catch {
    return false;
  }
}

function certificateIn(input: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(input);
  } catch {
    return undefined;
  }
}

async function readKeyMaterial(input: Buffer): Promise<void> {
  try {
    await readMaterial([{ name: 'file', bytes: input }], () => Promise.resolve(undefined));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
}

function publicKey(): Buffer {
  const { publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return Buffer.from(key.export({ type: 'spki', format: 'pem' }));
}

function makeCertificate(): X509Certificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-fuzz-'));
  try {
    const [key, cert] = [path.join(folder, 'key'), path.join(folder, 'cert')];
    const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
    const names = [
      '-subj',
      '/O=Example/CN=ftp',
      '-addext',
      'subjectAltName=DNS:ftp.example.com,IP:192.0.2.7',
    ];
    execFileSync('openssl', ['req', '-x509', ...fresh, '-out', cert, ...names], { stdio: 'pipe' });
    return new X509Certificate(readFileSync(cert));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
