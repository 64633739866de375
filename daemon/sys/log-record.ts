// A line of the log file, which is JSON, as people read it.
import { z } from 'zod';
import { formatEntry } from './log-line.js';
import { visibleLine } from './visible.js';

const lineSchema = z.looseObject({ level: z.string(), time: z.number(), message: z.string().default('') });

/** A JSON line as time, level, message, fields. A line that is none comes back as it is. */
export function formatLine(line: string): string {
  const parsed = lineSchema.safeParse(parseJson(line));
  if (!parsed.success) return visibleLine(line);
  const { level, time, message, ...fields } = parsed.data;
  return formatEntry({ level, time, message }, fields);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
