// The compiled program in a few files instead of some hundred: a start reads and links each file of each process and thread, half a
// millisecond apiece, and that was a third of it. Code that starts together is together; what is loaded late stays apart.
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { repository } from '../dev/prerequisites.mjs';

const compiled = path.join(repository, 'dist');
/** Below dist: the program, and the files of its threads. */
const entries = [
  'daemon/main.js',
  'daemon/pool/worker.js',
  'daemon/divert/tun/tun-thread.js',
  'daemon/divert/windows/windivert-thread.js',
];
const chunks = 'daemon/chunks';
/** Native code, or files that find each other by their places; they stay in node_modules. */
export const unbundled = ['koffi', '@napi-rs/keyring', '@particle/dbus-next', 'systray2', 'pino'];

/** Writes the entries, and what they share, below `folder`/dist; whatever else is there stays. The compiled program must be up to date. */
export async function bundleProgram(folder) {
  // Late: on a fresh checkout this file is read before there is a node_modules.
  const { build } = await import('esbuild');
  const outdir = path.join(folder, 'dist');
  await rm(path.join(outdir, chunks), { recursive: true, force: true });
  const { outputFiles } = await build({
    // The comments that name each file's place are the same wherever this is built.
    absWorkingDir: repository,
    entryPoints: entries.map((entry) => path.join(compiled, entry)),
    outbase: compiled,
    outdir,
    chunkNames: `${chunks}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: unbundled,
    legalComments: 'inline',
    banner: { js: banner },
    plugins: [places, english],
    logLevel: 'warning',
    write: false,
  });
  for (const { path: file, text } of outputFiles) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, withPlainComments(text));
  }
}

/**
 * esbuild writes a letter beyond ASCII as an escape everywhere but in comments. One that is beyond Latin-1 makes each thread that loads
 * the file keep twice its size.
 */
function withPlainComments(text) {
  return text.replace(/^[ \t]*(?:\/\/|\/?\*).*$/gm, (line) =>
    line.replace(/[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

/** Code has moved: files that it names by their place beside it are named by their place below dist. Packages of the old kind want `require`. */
const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  "const __dist = import.meta.url.slice(0, import.meta.url.lastIndexOf('/dist/') + 6);",
  'const __place = (file) => __dist + file;',
  'const __folder = (folder) => __fileURLToPath(__dist + folder);',
  'const require = __createRequire(import.meta.url);',
].join('\n');

/** All of zod hangs on its one object `z`; of a namespace what nobody uses is left out: three quarters. */
const asNamespace = (source) => source.replace(/^import \{ z \} from 'zod';$/m, "import * as z from 'zod';");

const places = {
  name: 'places below dist',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]dist[/\\](daemon|shared|tray)[/\\].*\.js$/ }, ({ path: file }) => {
      const place = path.relative(compiled, file).split(path.sep).join('/');
      const contents = asNamespace(readFileSync(file, 'utf8'))
        .replaceAll('import.meta.url', `__place(${JSON.stringify(place)})`)
        .replaceAll('import.meta.dirname', `__folder(${JSON.stringify(path.posix.dirname(place))})`);
      return { contents, loader: 'js' };
    });
  },
};

/** zod's messages in 60 other languages are never shown. */
const english = {
  name: 'zod in English',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, ({ path: file }) => {
      const lines = readFileSync(file, 'utf8').split('\n');
      const kept = lines.filter((line) => /^export .* from "\.\/en\.js";$/.test(line));
      if (kept.length !== 1) throw new Error(`${file} does not name the English texts as it used to`);
      return { contents: `${kept[0]}\n`, loader: 'js' };
    });
  },
};
