// `ftpseal serve`: the server proxy.
import { loadServeConfig } from '../serve/serve-config-load.js';
import { EXIT } from '../../shared/fault.js';
import { describeSafetpKey } from '../serve/safetp-offer.js';
import { runServe } from '../serve/serve.js';
import type { LogLevel } from '../sys/log.js';
import { outlastSurroundings } from '../sys/long-lived.js';

export interface ServeCommandOptions {
  readonly config?: string;
  readonly listen?: readonly string[];
  readonly implicit?: readonly string[];
  readonly backend?: string;
  readonly certificate?: readonly string[];
  readonly key?: readonly string[];
  readonly safetpKey?: string;
  readonly showKey?: boolean;
  readonly require?: string;
  readonly passivePorts?: string;
  readonly publicAddress?: string;
  readonly inetd?: boolean;
  readonly stateDir?: string;
  readonly logLevel: LogLevel;
}

/** Runs until a signal; resolves with the exit code. */
export async function serveCommand(options: ServeCommandOptions): Promise<number> {
  const config = await loadServeConfig(options.config, flagsOf(options));
  if (options.showKey === true) {
    process.stdout.write(await describeSafetpKey(config));
    return EXIT.done;
  }
  outlastSurroundings();
  return runServe({
    config,
    inetd: options.inetd === true,
    logLevel: options.logLevel,
    stateDir: options.stateDir,
  });
}

/** What was given on the command line, under its names in the file. */
function flagsOf(options: ServeCommandOptions): Readonly<Record<string, unknown>> {
  const { listen, implicit, backend, certificate, key } = options;
  const given = {
    ...{ listen, implicit, backend, certificate, key },
    safetp_key: options.safetpKey,
    require: options.require,
    passive_ports: options.passivePorts,
    public_address: options.publicAddress,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
