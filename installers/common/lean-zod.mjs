// zod without the translations of its messages: 60 files that every process and every worker thread would load, and no line of
// which is ever shown. A third of the time and memory that zod takes.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** In `folder`, a copy of the package that belongs to the caller. Throws where zod keeps them in another way than we know. */
export function keepEnglishOnly(folder) {
  const locales = path.join(folder, 'v4/locales');
  const index = path.join(locales, 'index.js');
  const english = readFileSync(index, 'utf8')
    .split('\n')
    .filter((line) => /^export .* from "\.\/en\.js";$/.test(line));
  if (english.length !== 1) throw new Error(`${index} does not name the English texts as it used to`);
  writeFileSync(index, `${english[0]}\n`);
  for (const file of readdirSync(locales))
    if (file.endsWith('.js') && file !== 'index.js' && file !== 'en.js') rmSync(path.join(locales, file));
}
