// Reads `[serve]` of the configuration file and what the command line puts in its place.
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { Fault } from '../../shared/fault.js';
import { configFault } from '../config-errors.js';
import { readDocument } from '../config-load.js';
import { defaultConfigPath } from '../sys/usual-places.js';
import { serveTable, toServeConfig, type ServeConfig } from './serve-config.js';

/** Keys of `[serve]` that the command line gives, under their names in the file. */
export type ServeFlags = Readonly<Record<string, unknown>>;

/** OpenSSL alone knows which ciphers there are. */
const checkedTable = serveTable.superRefine(({ ciphers, min_version: minVersion }, context) => {
  if (ciphers === undefined) return;
  try {
    createSecureContext({ ciphers, minVersion });
  } catch {
    context.addIssue({
      code: 'custom',
      path: ['ciphers'],
      message: `names no cipher that OpenSSL has: "${ciphers}"`,
    });
  }
});

const document = z.looseObject({ serve: checkedTable.prefault({}) });

/**
 * The settings: flags before the file's keys before the defaults. Paths of files are relative to the configuration's folder,
 * those on the command line to the current one. Rejects with a Fault of code `config` that names file, line, key and what
 * is allowed, or of code `usage` for a wrong flag.
 */
export async function loadServeConfig(path: string | undefined, flags: ServeFlags): Promise<ServeConfig> {
  const file = path ?? defaultConfigPath;
  const { text, parsed } = await readDocument(file, path === undefined);
  const fromFile = document.safeParse(parsed);
  if (!fromFile.success) throw configFault(file, text, fromFile.error);
  const given = tableOf(parsed);
  const merged = checkedTable.safeParse({ ...given, ...flags });
  if (!merged.success) throw flagFault(merged.error);
  const config = toServeConfig(merged.data);
  const at = (key: string): string => (key in flags ? process.cwd() : dirname(resolve(file)));
  return {
    ...config,
    certificates: config.certificates.map((one) => resolve(at('certificate'), one)),
    keys: config.keys.map((one) => resolve(at('key'), one)),
    safetp:
      config.safetp === undefined
        ? undefined
        : { ...config.safetp, keyFile: resolve(at('safetp_key'), config.safetp.keyFile) },
    clientCa: config.clientCa === undefined ? undefined : resolve(at('client_ca'), config.clientCa),
  };
}

function tableOf(parsed: unknown): Readonly<Record<string, unknown>> {
  const read = z.looseObject({ serve: z.looseObject({}).default({}) }).safeParse(parsed);
  return read.success ? read.data.serve : {};
}

function flagFault(error: z.ZodError): Fault {
  const [issue] = error.issues;
  const key = String(issue?.path[0] ?? '');
  return new Fault('usage', `--${key.replaceAll('_', '-')} ${issue?.message ?? 'is wrong'}.`, error);
}
