// The server proxy's keys and certificates: read at start, read again when a file has changed, and made into OpenSSL contexts.
import { constants, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import tls from 'node:tls';
import { Fault } from '../../shared/fault.js';
import { knownAuthorities } from '../cert/authorities.js';
import { pairUp, type Chain } from '../cert/chain.js';
import { findingSentence, judgeChain } from '../cert/findings.js';
import { readMaterial } from '../cert/material.js';
import { formatPrivateKey } from '../cert/private-key.js';
import type { ServeConfig } from './serve-config.js';
import { createSessionStore } from './session-store.js';
import { steadyNow } from '../sys/steady-clock.js';
import type { TlsTerms } from './tls-server.js';

/** Seconds that a TLS session may be resumed: sessions of FTP last for hours, and OpenSSL's five minutes would end their transfers. */
const SESSION_SECONDS = 86_400;
/** Milliseconds between two looks at the files. */
const LOOK_MS = 1000;
/** Sessions of one context are good in another only if both carry the same mark. */
const SESSION_MARK = 'ftpseal-serve';

/** One certificate with its key, ready for OpenSSL. */
interface Identity {
  readonly leaf: X509Certificate;
  readonly cert: string;
  readonly key: string;
  readonly warnings: readonly string[];
}

interface Loaded {
  readonly identities: readonly Identity[];
  readonly clientCa: string | undefined;
  /** What the files looked like. */
  readonly stamp: string;
}

export type CredentialSettings = Pick<
  ServeConfig,
  | 'certificates'
  | 'keys'
  | 'ciphers'
  | 'minVersion'
  | 'clientCa'
  | 'requireClientCertificate'
  | 'requireSessionReuse'
>;

/** What happened to the files, for the log. */
export interface CredentialNews {
  readonly onReloaded: () => void;
  readonly onReloadFailed: (reason: string) => void;
}

/** Opened once; sessions keep the terms that they were given, whatever is loaded later. */
export class Credentials {
  readonly #settings: CredentialSettings;
  readonly #news: CredentialNews;
  #loaded: Loaded;
  #contexts: readonly tls.SecureContext[];
  #lookedAt = steadyNow();
  #failedStamp: string | undefined;

  private constructor(settings: CredentialSettings, news: CredentialNews, loaded: Loaded) {
    this.#settings = settings;
    this.#news = news;
    this.#loaded = loaded;
    this.#contexts = loaded.identities.map((identity) => this.#makeContext(identity));
  }

  /** Rejects with a Fault of code `key` that names the file. */
  static async open(settings: CredentialSettings, news: CredentialNews): Promise<Credentials> {
    return new Credentials(settings, news, await load(settings));
  }

  /** What clients will object to. */
  get warnings(): readonly string[] {
    return this.#loaded.identities.flatMap((identity) => identity.warnings);
  }

  /**
   * For one control connection and its data connections. Where session reuse is required, or clients have certificates, they
   * have a context of their own, so that a session resumed with it can only come from this very control connection: its tickets
   * open nowhere else, and sessions that are resumed by number are kept apart anyway.
   */
  terms(): TlsTerms {
    const [first] = this.#loaded.identities;
    const contexts = this.#contexts;
    const [shared] = contexts;
    if (first === undefined || shared === undefined) throw new Error('there is always a certificate');
    const { identities } = this.#loaded;
    const isOwn = this.#settings.requireSessionReuse || this.#settings.clientCa !== undefined;
    const context = isOwn ? this.#makeContext(first) : shared;
    return {
      context,
      contextFor: (servername) => {
        const at = identities.findIndex(({ leaf }) => leaf.checkHost(servername) !== undefined);
        return at < 1 ? context : (contexts[at] ?? context);
      },
      sessions: createSessionStore(),
      clientCertificate: this.#clientCertificate,
    };
  }

  /** Reads the files again if they have changed, at most once a second; what can't be used leaves everything as it is. */
  async refresh(options: { readonly now?: boolean } = {}): Promise<void> {
    if (options.now !== true && steadyNow() - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = steadyNow();
    const stamp = stampOf(this.#settings);
    if (stamp === this.#loaded.stamp || (stamp === this.#failedStamp && options.now !== true)) return;
    try {
      const loaded = await load(this.#settings);
      this.#contexts = loaded.identities.map((identity) => this.#makeContext(identity));
      this.#loaded = loaded;
      this.#failedStamp = undefined;
      this.#news.onReloaded();
    } catch (error) {
      this.#failedStamp = stamp;
      this.#news.onReloadFailed(Fault.from(error).userMessage);
    }
  }

  get #clientCertificate(): TlsTerms['clientCertificate'] {
    if (this.#settings.clientCa === undefined) return 'ignored';
    return this.#settings.requireClientCertificate ? 'required' : 'checked';
  }

  #makeContext({ cert, key }: Identity): tls.SecureContext {
    const { ciphers, minVersion } = this.#settings;
    const { clientCa } = this.#loaded;
    try {
      return tls.createSecureContext({
        cert,
        key,
        minVersion,
        ciphers: ciphers ?? tls.DEFAULT_CIPHERS,
        honorCipherOrder: true,
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
        sessionTimeout: SESSION_SECONDS,
        sessionIdContext: SESSION_MARK,
        ...(clientCa === undefined ? {} : { ca: clientCa }),
      });
    } catch (error) {
      throw new Fault('key', `The certificate can’t be used: ${Fault.from(error).userMessage}`, error);
    }
  }
}

async function load(settings: CredentialSettings): Promise<Loaded> {
  // Before the files are read: a change in between is found at the next look.
  const stamp = stampOf(settings);
  if (settings.certificates.length === 0) {
    throw new Fault(
      'config',
      'There is no certificate: set serve.certificate, or make one with: ftpseal cert create <name> --out /etc/ftpseal/server',
    );
  }
  const authorities = knownAuthorities(undefined);
  const identities: Identity[] = [];
  for (const file of settings.certificates) {
    const files = [file, ...settings.keys.filter((key) => key !== file)];
    const read = files.map((name) => ({ name, bytes: readFile(name) }));
    const { key, chain } = pairUp(await readMaterial(read, refusePassphrase), authorities);
    identities.push({
      leaf: chain.leaf,
      cert: chain.sent.map((one) => one.toString()).join(''),
      key: formatPrivateKey(key),
      warnings: warningsOf(chain),
    });
  }
  const clientCa = settings.clientCa === undefined ? undefined : readAuthorities(settings.clientCa);
  return { identities, clientCa, stamp };
}

function warningsOf(chain: Chain): readonly string[] {
  // That one vouches for itself is what trust on first use is for.
  return judgeChain(chain, Date.now())
    .filter(({ kind }) => kind !== 'self-signed')
    .map(findingSentence);
}

function refusePassphrase(file: string): Promise<string | undefined> {
  throw new Fault(
    'key',
    `The key in ${file} is protected by a passphrase, and nobody is there to type it. Store it without: ftpseal cert import`,
  );
}

function readAuthorities(file: string): string {
  const text = readFile(file).toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    throw new Fault('key', `${file} holds no certificate in PEM form (serve.client_ca).`);
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new Fault('key', `A certificate in ${file} can't be read (serve.client_ca).`, error);
    }
  }
  return blocks.join('\n');
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = { ENOENT: 'does not exist', EACCES: 'can’t be read: permission denied' }[code];
    throw new Fault('key', `${file} ${why ?? `can’t be read (${code})`}.`, error);
  }
}

/** Changes whenever a file was replaced or written to; symbolic links are followed, as certbot's want to be. */
function stampOf({ certificates, keys, clientCa }: CredentialSettings): string {
  return [...certificates, ...keys, ...(clientCa === undefined ? [] : [clientCa])]
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false });
      return found === undefined ? 'none' : `${found.dev}/${found.ino}/${found.size}/${found.mtimeMs}`;
    })
    .join(' ');
}
