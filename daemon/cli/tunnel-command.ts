// `ftpseal tunnel`: the words of the command line, checked, and the tunnel run.
import { z } from 'zod';
import { EXIT, exitCodeOf, Fault } from '../../shared/fault.js';
import { parseFingerprint, type KeyFingerprint } from '../../shared/fingerprint.js';
import { parseHostname } from '../host-match.js';
import { parseIpAddress } from '../../shared/endpoint.js';
import type { AskPassphrase } from '../cert/material.js';
import { loadAuthorities, loadCredentials, type Credentials } from '../tunnel/credentials.js';
import { isErrorOutputTheConnection } from '../tunnel/descriptors.js';
import { parseMethod } from '../tunnel/method.js';
import { looksAtPeer, type PeerPolicy } from '../tunnel/peer-verdict.js';
import { DEFAULT_HOST, planTunnel, type TunnelPlan } from '../tunnel/plan.js';
import { Report } from '../tunnel/report.js';
import { runTunnel, type Security } from '../tunnel/tunnel.js';
import { passphraseSource } from './cert-passphrase.js';

const wordsSchema = z.object({
  client: z.boolean().default(false),
  server: z.boolean().default(false),
  inetd: z.boolean().default(false),
  port: z.string().optional(),
  timeout: z.string().optional(),
  certificate: z.string().optional(),
  key: z.string().optional(),
  directory: z.string().optional(),
  method: z.string().optional(),
  requireCertificate: z.boolean().default(false),
  depth: z.string().optional(),
  strict: z.boolean().default(false),
  clientEof: z.boolean().default(false),
  encryption: z.boolean().default(true),
  verbose: z.boolean().default(false),
  debug: z.number().default(0),
  syslog: z.boolean().default(false),
  fingerprint: z.string().optional(),
  name: z.string().optional(),
  holdEof: z.boolean().default(false),
  passphraseFile: z.string().optional(),
  config: z.string().optional(),
});
export type TunnelWords = z.input<typeof wordsSchema>;
type Words = z.output<typeof wordsSchema>;

/** Runs one tunnel to its end; resolves with the exit code and never rejects, for standard error may be the connection. */
export async function tunnelCommand(program: readonly string[], given: TunnelWords): Promise<number> {
  const words = wordsSchema.parse(given);
  const report = new Report({
    verbosity: words.debug > 0 ? 'debug' : words.verbose ? 'verbose' : 'quiet',
    toSyslog: words.syslog || isErrorOutputTheConnection(),
  });
  try {
    const plan = planTunnel({ ...words, port: words.port, program });
    const security = await securityOf(words, plan, report);
    const patienceMs = words.timeout === undefined ? undefined : parseSeconds(words.timeout);
    const { clientEof: endsWithClient, holdEof: holdsEnd } = words;
    return await runTunnel({ plan, security, patienceMs, endsWithClient, holdsEnd, report });
  } catch (error) {
    const fault = Fault.from(error);
    report.error(fault.userMessage);
    if (fault.code === 'internal') report.debug(fault.stack ?? '');
    return fault.code === 'no-daemon' ? EXIT.failed : exitCodeOf(fault);
  }
}

async function securityOf(words: Words, plan: TunnelPlan, report: Report): Promise<Security> {
  if (!words.encryption) return { kind: 'clear' };
  const method = words.method === undefined ? undefined : parseMethod(words.method);
  const policy = policyOf(words);
  const name = nameOf(words, plan);
  if (
    plan.role === 'client' &&
    looksAtAuthorities(policy) &&
    name === undefined &&
    words.directory === undefined
  ) {
    throw new Fault(
      'usage',
      'A certificate that any authority vouches for proves nothing without a name: give --name, or -D with your own authority.',
    );
  }
  const credentials = await credentialsOf(words, plan);
  const further = () =>
    looksAtAuthorities(policy) ? organisationsAuthorities(words.config, report) : Promise.resolve(undefined);
  const authorities = looksAtPeer(policy) ? await loadAuthorities(words.directory, further) : undefined;
  return { kind: 'tls', credentials, authorities, method, policy, name };
}

/** Those of trust.ca_bundle. Whoever may not read the configuration, and did not ask for it, has the machine's alone. */
async function organisationsAuthorities(
  config: string | undefined,
  report: Report,
): Promise<string | undefined> {
  const { loadConfig } = await import('../config-load.js');
  try {
    return (await loadConfig(config)).trust.authorities;
  } catch (error) {
    const fault = Fault.from(error);
    if (config !== undefined || fault.code !== 'config') throw error;
    report.warn(`authorities of trust.ca_bundle are not known: ${fault.userMessage}`);
    return undefined;
  }
}

async function credentialsOf(words: Words, plan: TunnelPlan): Promise<Credentials | undefined> {
  // A client shows a certificate only if it was told which.
  if (plan.role === 'client' && words.certificate === undefined) return undefined;
  return loadCredentials({
    certificate: words.certificate,
    key: words.key,
    folder: words.directory,
    passphrase: words.passphraseFile === undefined ? nobodyToAsk : passphraseSource(words.passphraseFile),
  });
}

/** Standard input is data here. */
const nobodyToAsk: AskPassphrase = (file) =>
  Promise.reject(new Fault('usage', `${file} is protected with a passphrase; give --passphrase-file.`));

function policyOf(words: Words): PeerPolicy {
  const depth = words.depth === undefined ? undefined : parseDepth(words.depth);
  return {
    require: words.requireCertificate || depth !== undefined,
    strict: words.strict,
    depth,
    fingerprint: words.fingerprint === undefined ? undefined : parseKey(words.fingerprint),
  };
}

function looksAtAuthorities(policy: PeerPolicy): boolean {
  return policy.fingerprint === undefined && looksAtPeer(policy);
}

function nameOf(words: Words, plan: TunnelPlan): string | undefined {
  if (words.name !== undefined) {
    const name = parseIpAddress(words.name) ?? parseHostname(words.name);
    if (name === undefined)
      throw new Fault('usage', `--name ${words.name} is neither a name nor an address.`);
    return name;
  }
  return plan.secure.kind === 'connect' ? (plan.secure.place.host ?? DEFAULT_HOST) : undefined;
}

function parseSeconds(text: string): number {
  const seconds = /^[0-9]{1,6}(?:\.[0-9]{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= 86_400) return seconds * 1000;
  throw new Fault('usage', '-t must be a number of seconds, more than 0 and up to 86400.');
}

function parseDepth(text: string): number {
  if (/^[0-9]{1,2}$/.test(text)) return Number(text);
  throw new Fault('usage', '-V must be a number from 0 to 99.');
}

function parseKey(text: string): KeyFingerprint {
  const fingerprint = parseFingerprint(text);
  if (fingerprint !== undefined) return fingerprint;
  throw new Fault('usage', '--fingerprint must be a SHA-256 fingerprint (SHA256:… or 64 hex digits).');
}
