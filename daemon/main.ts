#!/usr/bin/env node
// The one entry of the program; which process it becomes is the command's matter (daemon/cli/program.ts).
import { runCommandLine } from './cli/program.js';

// `ftpseal log -f | head` ends with the reader.
process.stdout.on('error', () => {
  process.exit(0);
});
process.exitCode = await runCommandLine(process.argv.slice(2));

// A handle that somebody forgot must not keep a finished process; without one this timer does not either.
setTimeout(() => {
  process.exit();
}, 1000).unref();
