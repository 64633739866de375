// Where in a TOML text a key stands, and the sentence that names file, line, key and what is allowed.
import type { z } from 'zod';
import { Fault } from '../shared/fault.js';

type Path = readonly PropertyKey[];

/** One `key = value` or `[table]` line of the file, with the full path that it defines. */
interface Place {
  readonly path: readonly (string | number)[];
  readonly line: number;
}

/** A fault that lists every problem of a file, one a line: `file:line: key: what is allowed`. */
export function configFault(file: string, text: string, error: z.ZodError): Fault {
  const places = findPlaces(text);
  const problems = error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: messageOf(issue) }];
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: issue.message }));
  });
  const lines = problems
    .map(({ path, message }) => ({ line: lineOf(places, path), text: `${keyOf(path)} ${message}` }))
    .sort((a, b) => a.line - b.line)
    .map(({ line, text: problem }) => `${file}:${line}: ${problem}`);
  return new Fault('config', [...new Set(lines)].join('\n'), error);
}

function messageOf(issue: z.core.$ZodIssue): string {
  const missing = issue.code === 'custom' && issue.path.at(-1) === 'match' && issue.path.length === 3;
  return missing ? `is missing or wrong; it ${issue.message}` : issue.message;
}

/** `host[2].trust.unknown`, counted from 1 as people do. */
function keyOf(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part + 1}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function lineOf(places: readonly Place[], path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const prefix = path.slice(0, length);
    const found = places.find(
      (place) => place.path.length >= length && prefix.every((part, i) => place.path[i] === part),
    );
    if (found !== undefined) return found.line;
  }
  return 1;
}

/** Good enough to point a person at a line; the TOML reader alone decides what the text means. */
function findPlaces(text: string): readonly Place[] {
  const places: Place[] = [];
  const counts = new Map<string, number>();
  let table: readonly (string | number)[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const list = /^\s*\[\[([^\]]+)\]\]/.exec(line);
    const header = /^\s*\[([^[\]]+)\]/.exec(line);
    const key =
      /^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=/.exec(
        line,
      );
    if (list?.[1] !== undefined) {
      const name = splitKey(list[1]).join('.');
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      table = [...splitKey(list[1]), count];
    } else if (header?.[1] !== undefined) {
      table = withIndex(splitKey(header[1]), counts);
    } else if (key?.[1] === undefined) continue;
    const own = list === null && header === null ? splitKey(key?.[1] ?? '') : [];
    places.push({ path: [...table, ...own], line: index + 1 });
  }
  return places;
}

/** `[host.trust]` after a `[[host]]` belongs to the last of them. */
function withIndex(
  path: readonly string[],
  counts: ReadonlyMap<string, number>,
): readonly (string | number)[] {
  const [first = '', ...rest] = path;
  const count = counts.get(first);
  return count === undefined ? path : [first, count - 1, ...rest];
}

function splitKey(text: string): readonly string[] {
  return text.split('.').map((part) => part.trim().replace(/^(["'])(.*)\1$/, '$2'));
}
