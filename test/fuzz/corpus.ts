// The corpus: inputs that are tried first in every run, and beginnings of new ones. What breaks something is added to it by a deep run.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const folder = findFolder();

/** All inputs of a target, by file name. */
export function corpusOf(target: string): readonly Buffer[] {
  const place = path.join(folder, target);
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .sort()
    .map((name) => readFileSync(path.join(place, name)));
}

/** Keeps an input that broke a promise; returns its file. */
export function keep(target: string, input: Buffer): string {
  const name = `broke-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`;
  const file = path.join(folder, target, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, input);
  return file;
}

/** In the source tree, above the build: the corpus is not compiled. */
function findFolder(): string {
  for (let at = import.meta.dirname; ; at = path.dirname(at)) {
    const candidate = path.join(at, 'test/fuzz/corpus');
    if (existsSync(candidate) && !candidate.includes(`${path.sep}dist${path.sep}`)) return candidate;
    if (path.dirname(at) === at) return path.resolve('test/fuzz/corpus');
  }
}
