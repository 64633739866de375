// Reads the configuration file. Used by the supervisor (as root), by `ftpseal check` and by the explicit proxy.
import { readFile } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { Fault } from '../shared/fault.js';
import type { Config } from './config.js';
import { givenKeys, type ConfigSource } from './config-view.js';
import { configFault } from './config-errors.js';
import { configFileSchema } from './config-file.js';
import { defaultConfigPath } from './sys/usual-places.js';
import { readCaBundle } from './trust/ca-bundle.js';

/** A configuration is a page of text; more is a mistake or an attack on a root process. */
const maxBytes = 1024 * 1024;

/**
 * The configuration from `path`, or from the default path, where a missing file means all defaults.
 * Rejects with a Fault of code `config` that names file, line, key and what is allowed, one problem a line.
 */
export async function loadConfig(path?: string): Promise<Config> {
  return (await loadConfigFile(path)).config;
}

/** The same, with what the file itself says. */
export async function loadConfigFile(
  path?: string,
): Promise<{ readonly config: Config; readonly source: ConfigSource }> {
  const file = path ?? defaultConfigPath;
  const text = await readText(file, path === undefined);
  const config = await withAuthorities(parseConfig(text, file), file, text);
  return { config, source: { file, given: givenKeys(parseToml(text, file)) } };
}

async function withAuthorities(config: Config, file: string, text: string): Promise<Config> {
  const { caBundle } = config.trust;
  if (caBundle === undefined) return config;
  try {
    return { ...config, trust: { ...config.trust, authorities: await readCaBundle(caBundle) } };
  } catch (error) {
    const message = `can't be used: ${Fault.from(error).userMessage}`;
    const path = ['trust', 'ca_bundle'];
    throw configFault(file, text, new z.ZodError([{ code: 'custom', path, message, input: caBundle }]));
  }
}

/** The file's text and what the TOML reader makes of it; both empty if the file is optional and not there. Rejects with a Fault. */
export async function readDocument(
  file: string,
  optional: boolean,
): Promise<{ readonly text: string; readonly parsed: unknown }> {
  const text = await readText(file, optional);
  return { text, parsed: parseToml(text, file) };
}

/** The same for a text that is already here; `file` is only what errors call it. */
export function parseConfig(text: string, file: string): Config {
  const result = configFileSchema.safeParse(parseToml(text, file));
  if (!result.success) throw configFault(file, text, result.error);
  return result.data;
}

async function readText(file: string, optional: boolean): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > maxBytes) throw new Fault('config', `${file} is larger than ${maxBytes} bytes`);
    return bytes.toString('utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (optional && code === 'ENOENT') return '';
    if (code === 'ENOENT') throw new Fault('config', `${file} does not exist`, error);
    if (code === 'EACCES') throw new Fault('config', `${file} can't be read: permission denied`, error);
    throw Fault.from(error, 'config');
  }
}

function parseToml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = 'is no TOML'] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new Fault('config', `${file}:${error.line}: ${what} (column ${error.column})`, error);
  }
}
