// Where the transcripts lie: they are not compiled, so in the source tree, above the build or where the test was started.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readCases, readPreludes, type Case } from './scenario.js';

const folder = findFolder();
const preludes = readPreludes(readFileSync(path.join(folder, 'preludes'), 'utf8'));

export const TRANSCRIPTS: readonly string[] = readdirSync(folder).filter((name) => name.endsWith('.txt'));

/** All cases of one file. */
export function casesOf(file: string): readonly Case[] {
  return readCases(file, readFileSync(path.join(folder, file), 'utf8'), preludes);
}

/** A prelude as a case of its own, for tests that start in the middle. */
export function preludeCase(name: string): Case {
  const [scenario] = readCases('preludes', `## ${name}\nuse ${name}\n`, preludes);
  if (scenario === undefined) throw new Error(`no such prelude: ${name}`);
  return scenario;
}

function findFolder(): string {
  for (let at = import.meta.dirname; ; at = path.dirname(at)) {
    const candidate = path.join(at, 'test/transcripts/preludes');
    if (existsSync(candidate)) return path.dirname(candidate);
    if (path.dirname(at) === at) return path.resolve('test/transcripts');
  }
}
