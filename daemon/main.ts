#!/usr/bin/env node
// The one entry of the program; which process it becomes is the command's matter (daemon/cli/program.ts). The proxy is none that
// people start, and comes in by a way of its own.
import { PROXY_PROCESS, proxyProcess } from './cli/proxy-process.js';
import { sayFault } from './cli/said-fault.js';

// `ftpseal log -f | head` ends with the reader.
process.stdout.on('error', () => {
  process.exit(0);
});
// Node ends with 13, and says nothing, when the await below can't be settled any more. Nobody may take that for a good end.
process.once('exit', () => {
  if (process.exitCode === 13)
    process.stderr.write(
      'ftpseal: ended in the middle of its work. This is a bug of ftpseal; please report it.\n',
    );
});
const [first, ...rest] = process.argv.slice(2);
process.exitCode =
  first === PROXY_PROCESS
    ? await proxyProcess(rest).catch(sayFault)
    : await (await import('./cli/program.js')).runCommandLine(process.argv.slice(2));

// A handle that somebody forgot must not keep a finished process; without one this timer does not either.
setTimeout(() => {
  process.exit();
}, 1000).unref();
