// The papers name the tests that prove what they say: `test/folder/file, "part of its name"`. Every such file is there, and
// every such name in it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
/** Each with the least number of references that it has to hold. */
const papers: Readonly<Record<string, number>> = {
  'daemon/ATTACK-SURFACE.md': 60,
  'SECURITY.md': 1,
  'docs/reliability.md': 15,
  'docs/x-safetp1.md': 2,
  'docs/failures.md': 10,
  'docs/lineage.md': 60,
  'docs/operations.md': 5,
};

interface Reference {
  readonly path: string;
  readonly names: readonly string[];
}

const pattern = /(?<![\w/.-])test\/([\w./-]*[\w/])((?:,? “?"[^"]+"(?: and)?)*)/g;

function referencesIn(text: string): readonly Reference[] {
  return [...text.replace(/\s+/g, ' ').matchAll(pattern)].map(([, file = '', names = '']) => ({
    path: file,
    names: [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name.replace(/ ?…$/, '')),
  }));
}

/** What the reference means: a test, a file or a folder. */
function resolve(reference: string): string | undefined {
  const base = path.join(repository, 'test', reference);
  return [`${base}.test.ts`, base, `${base}.ts`].find((file) => existsSync(file));
}

function sourceOf(file: string): string {
  if (!statSync(file).isDirectory()) return readFileSync(file, 'utf8');
  return readdirSync(file, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

/** The same word with either apostrophe; the names in tests have both. */
function plain(text: string): string {
  return text.replaceAll('’', "'").replaceAll("\\'", "'");
}

function problems(text: string): readonly string[] {
  return referencesIn(text).flatMap(({ path: file, names }) => {
    const found = resolve(file);
    if (found === undefined) return [`test/${file} is not there`];
    const source = plain(sourceOf(found));
    return names
      .filter((name) => name.length < 8 || !source.includes(plain(name)))
      .map((name) => `test/${file} has no test "${name}"`);
  });
}

describe('references to tests', () => {
  for (const [paper, least] of Object.entries(papers)) {
    it(`in ${paper} name what is there`, () => {
      const text = readFileSync(path.join(repository, paper), 'utf8');
      assert.deepEqual(problems(text), []);
      assert.ok(referencesIn(text).length >= least, `${referencesIn(text).length} references`);
      // Forms that would escape the check: a name without quotes, a file without its folder.
      assert.deepEqual(
        text.match(
          /(?<!\/)\btest\/[\w./-]+: [^\n]{0,40}|(?<![\w/.-])(?:lab|daemon)\/show-[^\s]*|(?<![\w/.-])[\w-]+\.test\.ts/g,
        ) ?? [],
        [],
      );
    });
  }

  it('that are wrong are found', () => {
    const missing = ['nobody', 'wrote', 'this'].join(' ');
    const text = `Good (test/docs/references, "that are wrong are found"); bad (test/lab/nowhere;\ntest/docs, "${missing.replace(' ', '\n')}").`;
    assert.deepEqual(problems(text), ['test/lab/nowhere is not there', `test/docs has no test "${missing}"`]);
  });
});
