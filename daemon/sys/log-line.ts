// A log entry as people read it.
import { visibleLine } from './visible.js';

/** One entry: `2026-07-01 12:00:00 warn  message name=value`, in UTC, whatever is in it. */
export function formatEntry(
  entry: { readonly level: string; readonly time: number; readonly message: string },
  fields: Readonly<Record<string, unknown>>,
): string {
  const clock = new Date(entry.time).toISOString().slice(0, 19).replace('T', ' ');
  return visibleLine(`${clock} ${entry.level.padEnd(5)} ${formatMessage(entry.message, fields)}`);
}

/** The same without time and level, for a log that has its own: `message name=value`. */
export function formatMessage(message: string, fields: Readonly<Record<string, unknown>>): string {
  const rest = Object.entries(fields)
    .filter(([name]) => name !== 'pid')
    .map(([name, value]) => `${name}=${formatValue(value)}`);
  return visibleLine([message, ...rest].join(' '));
}

function formatValue(value: unknown): string {
  return typeof value === 'string' && !/[\s="]/.test(value) ? value : JSON.stringify(value);
}
