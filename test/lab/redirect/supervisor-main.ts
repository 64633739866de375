// Runs the real supervisor with the fake proxy: runtime folder, state folder, on_failure, behaviour, main module.
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../../daemon/config-load.js';
import { runSupervisor } from '../../../daemon/supervisor.js';
import { serviceManager } from '../../../daemon/sys/service-manager.js';
import { Fault, exitCodeOf } from '../../../shared/fault.js';

const [, , runtimeDir = '', stateDir = '', onFailure = 'open', behaviour = 'good', main] = process.argv;

try {
  process.exitCode = await runSupervisor({
    config: parseConfig(`[divert]\nworkers = 2\non_failure = "${onFailure}"\n`, 'test.toml'),
    configPath: undefined,
    runtimeDir,
    stateDir,
    proxyArguments: [behaviour, stateDir],
    manager: serviceManager(),
    proxyMain: main ?? fileURLToPath(new URL('./fake-proxy.js', import.meta.url)),
    log: (level, message, fields) => {
      process.stdout.write(`${JSON.stringify({ event: 'log', level, message, ...fields })}\n`);
    },
  });
} catch (error) {
  const fault = Fault.from(error);
  process.stdout.write(
    `${JSON.stringify({ event: 'fault', code: fault.code, sentence: fault.userMessage })}\n`,
  );
  process.exitCode = exitCodeOf(fault);
}
