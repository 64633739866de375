// The kinds of values that several tables of the configuration have, each with the sentence for a wrong one.
import { z } from 'zod';
import { parsePortRange, portCount, type PortRange } from '../shared/endpoint.js';

/** A table that knows its keys: a wrong key is told which ones are allowed. */
export function table<S extends z.ZodRawShape>(shape: S) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `is not known here; allowed are: ${keys}` : 'must be a table',
  });
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `must be ${values.map((v) => `"${v}"`).join(' or ')}` });
}

/** `true` or `false`. */
export const bool = z.boolean({ error: 'must be true or false' });

/** A range with room for at least `least` ports, above the privileged ones. */
export function range(least: number) {
  return z.unknown().transform((value, context): PortRange => {
    const parsed = typeof value === 'string' ? parsePortRange(value) : undefined;
    if (parsed !== undefined && parsed.first >= 1024 && portCount(parsed) >= least) return parsed;
    context.addIssue({
      code: 'custom',
      message: `must be a range of at least ${least} ports between 1024 and 65535, such as "21210-23209"`,
    });
    return z.NEVER;
  });
}

/** A list of at most 1024 of them. */
export function listOf<T extends z.ZodType>(item: T, what: string) {
  return z.array(item, { error: `must be a list of ${what}, such as [ … ]` }).max(1024);
}
