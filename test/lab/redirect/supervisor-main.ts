// Runs the real supervisor with the fake proxy: runtime folder, state folder, on_failure, behaviour, main module.
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../../daemon/config-load.js';
import { runSupervisor } from '../../../daemon/supervisor.js';
import { withFirstProxy } from '../../../daemon/supervisor/first-proxy.js';
import type { SupervisorLog } from '../../../daemon/supervisor/supervisor-log.js';
import { serviceManager } from '../../../daemon/sys/service-manager.js';
import { Fault, exitCodeOf } from '../../../shared/fault.js';

const [, , runtimeDir = '', stateDir = '', onFailure = 'open', behaviour = 'good', main] = process.argv;

const log: SupervisorLog = (level, message, fields) => {
  process.stdout.write(`${JSON.stringify({ event: 'log', level, message, ...fields })}\n`);
};
const ground = {
  configPath: undefined,
  runtimeDir,
  stateDir,
  proxyArguments: [behaviour, stateDir],
  proxyUser: undefined,
  main: main ?? fileURLToPath(new URL('./fake-proxy.js', import.meta.url)),
  waiting: () => {
    log('info', 'waiting for the previous proxy to end its sessions', {});
  },
};

try {
  process.exitCode = await withFirstProxy(ground, (first) => {
    const config = parseConfig(`[divert]\nworkers = 2\non_failure = "${onFailure}"\n`, 'test.toml');
    return runSupervisor({ config, first, manager: serviceManager(), log });
  });
} catch (error) {
  const fault = Fault.from(error);
  process.stdout.write(
    `${JSON.stringify({ event: 'fault', code: fault.code, sentence: fault.userMessage })}\n`,
  );
  process.exitCode = exitCodeOf(fault);
}
