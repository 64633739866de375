// How people name servers and keys on the command line: host[:port], a fingerprint, PEM out of a file or from stdin.
import { readFile } from 'node:fs/promises';
import { parseIpAddress } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { parseFingerprint } from '../../shared/fingerprint.js';
import type { Port } from '../../shared/endpoint.js';
import type { KeySelector } from '../../shared/ipc-messages.js';
import { parseHostname, splitHostPort } from '../host-match.js';
import { parseGivenKey, type GivenKey } from '../trust/spki.js';

/** `host`, `host:port` or `[address]:port`. Throws a Fault of code `usage`. */
export function parseHost(text: string): { readonly host: string; readonly port: Port | undefined } {
  const split = splitHostPort(text);
  const host = split && (parseIpAddress(split.host) ?? parseHostname(split.host));
  if (split !== undefined && host !== undefined) return { host, port: split.port };
  throw new Fault('usage', `"${text}" is no server; give a name or an address, with :port if it is not 21.`);
}

/** What `keys show|remove|revoke` work on: a server, a key, or one key of one server. */
export function parseSelector(what: string, key: string | undefined): KeySelector {
  const fingerprint = parseFingerprint(what);
  if (fingerprint !== undefined && key === undefined) return { kind: 'fingerprint', fingerprint };
  const { host, port } = parseHost(what);
  const place = { host, ...(port === undefined ? {} : { port }) };
  if (key === undefined) return { kind: 'host', ...place };
  const ofHost = parseFingerprint(key);
  if (ofHost === undefined) throw new Fault('usage', `"${key}" is no SHA-256 fingerprint.`);
  return { kind: 'both', ...place, fingerprint: ofHost };
}

/** A key as an argument: a fingerprint, the name of a PEM file, or `-` for standard input. */
export async function readGivenKey(argument: string): Promise<GivenKey> {
  if (argument === '-') return parseGivenKey(await readStdin());
  if (parseFingerprint(argument) !== undefined || argument.includes('-----BEGIN'))
    return parseGivenKey(argument);
  try {
    return parseGivenKey(await readFile(argument, 'utf8'));
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      'usage',
      `"${argument}" is neither a SHA-256 fingerprint (SHA256:… or 64 hex digits) nor a file that can be read.`,
      error,
    );
  }
}

/** All of standard input, bounded: what is larger is no key and no key file. */
export async function readStdin(): Promise<string> {
  const input: AsyncIterable<unknown> = process.stdin.setEncoding('utf8');
  let text = '';
  for await (const chunk of input) {
    text += String(chunk);
    if (text.length > maxInput) throw new Fault('usage', 'The input is too large.');
  }
  return text;
}

const maxInput = 32 * 1024 * 1024;
