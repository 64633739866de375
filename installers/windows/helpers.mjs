// The two small programs of our own that Windows needs, from their C: without a runtime and without a date, so that the same source
// gives the same bytes.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const fixed = ['-Os', '-s', '-Wall', '-Werror', '-nostdlib', '-nostartfiles', '-e', 'start'];
const undated = ['-fno-ident', '-ffile-prefix-map=/=', '-Wl,--no-insert-timestamp'];
const guarded = ['-Wl,--dynamicbase,--nxcompat,--high-entropy-va'];

/** Compiles files/<name>.c to the file `output`; `hasConsole` is for what the installer runs and nobody sees. */
export function compileHelper(name, output, { hasConsole }) {
  const source = path.join(import.meta.dirname, 'files', `${name}.c`);
  const kind = hasConsole ? '-mconsole' : '-mwindows';
  const options = [...fixed, ...undated, ...guarded, kind, '-o', output, source, '-lkernel32', '-luser32'];
  execFileSync('x86_64-w64-mingw32-gcc', options, { stdio: ['ignore', 'ignore', 'inherit'] });
}
