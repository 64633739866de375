// `ftpseal proxy`: the explicit proxy, for whoever has no root. The client logs in as name@host.
import { formatEndpoint, parseEndpoint, type Endpoint } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { runExplicitProxy } from '../proxy.js';
import type { LogLevel } from '../sys/log.js';
import { outlastSurroundings } from '../sys/long-lived.js';
import { askOnOwnTerminal } from './own-terminal.js';
import { runtimeDirOf, stateDirOf, type DirOptions } from './paths.js';

export interface ProxyOptions extends DirOptions {
  readonly config?: string;
  readonly listen: readonly string[];
  readonly logLevel: LogLevel;
}

export const defaultListen = '127.0.0.1:2121';

/** Runs until a signal; resolves with the exit code. */
export async function proxyCommand(options: ProxyOptions): Promise<number> {
  outlastSurroundings();
  const listen = options.listen.map(parseListen);
  const runtimeDir = runtimeDirOf(options);
  const say = (text: string) => process.stderr.write(`${text}\n`);
  return runExplicitProxy({
    configPath: options.config,
    stateDir: stateDirOf(options),
    runtimeDir,
    foreground: true,
    logLevel: options.logLevel,
    listen,
    onReady: () => {
      say(`ftpseal proxy listens on ${listen.map(formatEndpoint).join(', ')}.`);
      say('Connect your FTP program there and log in as name@host (or name@host:port).');
      if (!listen.every(isLoopback))
        say('Warning: other machines can reach it, and passwords on that way are not encrypted.');
      askOnOwnTerminal(runtimeDir);
    },
  });
}

function parseListen(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint !== undefined) return endpoint;
  throw new Fault('usage', `"${text}" is no address with port, such as ${defaultListen} or [::1]:2121.`);
}

function isLoopback({ address }: Endpoint): boolean {
  return address === '::1' || address.startsWith('127.');
}
