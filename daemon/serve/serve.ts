// `ftpseal serve` as a process: its credentials, its listeners or the sockets it was handed, its signals and its end.
import { EXIT, Fault } from '../../shared/fault.js';
import { formatEndpoint, parsePort } from '../../shared/endpoint.js';
import { freeBuffersPromptly } from '../sys/garbage-collector.js';
import { Log, type LogLevel } from '../sys/log.js';
import { hardenProcess } from '../sys/process-hardening.js';
import { Credentials } from './credentials.js';
import { connectionOn, isSameFile, socketsFromSystemd, type HandedSocket } from './handed-sockets.js';
import { openSafetpOffer } from './safetp-offer.js';
import { offersTls, type ServeConfig } from './serve-config.js';
import { ServeServer, type ListenOn } from './serve-server.js';

/** Milliseconds that transfers under way get when the process is asked to end. */
const STOP_GRACE_MS = 3_000;

export interface ServeOptions {
  readonly config: ServeConfig;
  /** Serve the connection on descriptor 0 and end with it. */
  readonly inetd: boolean;
  readonly logLevel: LogLevel;
  /** Where the log is kept as well; undefined: nowhere. */
  readonly stateDir: string | undefined;
}

/** Runs until a signal, or until the connection that was handed over has ended. Resolves with the exit code; rejects with a Fault. */
export async function runServe(options: ServeOptions): Promise<number> {
  hardenProcess();
  freeBuffersPromptly();
  const { config } = options;
  const handed = options.inetd ? [] : socketsFromSystemd(process.env, process.pid);
  const isForOne = options.inetd || handed.some(({ kind }) => kind === 'connection');
  const foreground = !options.inetd || !isSameFile(0, 2);
  const log = new Log({ stateDir: options.stateDir, foreground, level: options.logLevel });
  const credentials = offersTls(config) ? await openCredentials(config, log) : undefined;
  const safetp = await openSafetpOffer(config, log);
  const server = new ServeServer({ config, credentials, safetp, log });
  const signal = firstSignal(credentials);
  if (isForOne) serveOne(server, config, options.inetd ? undefined : handed);
  else await listenAll(server, config, handed, log);
  const reason = await Promise.race([signal, ...(isForOne ? [server.empty.then(() => 'done')] : [])]);
  if (!isForOne) log.info('stopping', { reason });
  await server.stop(STOP_GRACE_MS);
  log.close();
  return EXIT.done;
}

async function openCredentials(config: ServeConfig, log: Log): Promise<Credentials> {
  const credentials = await Credentials.open(config, {
    onReloaded: () => {
      log.info('the certificates were read again');
    },
    onReloadFailed: (reason) => {
      log.error('the changed certificates can’t be used; those from before stay', { reason });
    },
  });
  for (const warning of credentials.warnings) log.warn(warning);
  return credentials;
}

function firstSignal(credentials: Credentials | undefined): Promise<string> {
  process.on('SIGHUP', () => {
    void credentials?.refresh({ now: true });
  });
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        resolve(signal);
      });
    }
  });
}

function serveOne(
  server: ServeServer,
  config: ServeConfig,
  handed: readonly HandedSocket[] | undefined,
): void {
  const fds = handed?.filter(({ kind }) => kind === 'connection').map(({ fd }) => fd) ?? [0];
  for (const fd of fds) {
    const socket = connectionOn(fd);
    if (socket.remoteAddress === undefined)
      throw new Fault(
        'usage',
        'The connection that was handed over is no TCP connection, or is gone already.',
      );
    server.take(socket, isImplicitPort(config, socket.localPort));
  }
}

async function listenAll(
  server: ServeServer,
  config: ServeConfig,
  handed: readonly HandedSocket[],
  log: Log,
): Promise<void> {
  const listeners: readonly ListenOn[] =
    handed.length > 0
      ? handed.map(({ fd, name }) => ({ kind: 'descriptor', fd, implicit: name === 'implicit' }))
      : [
          ...config.listen.map((endpoint): ListenOn => ({ kind: 'endpoint', endpoint, implicit: false })),
          ...config.implicit.map((endpoint): ListenOn => ({ kind: 'endpoint', endpoint, implicit: true })),
        ];
  if (listeners.length === 0) {
    throw new Fault(
      'config',
      'There is nothing to listen on: serve.listen and serve.implicit are both empty.',
    );
  }
  for (const on of listeners) await server.listen(on);
  const places = listeners.map((on) =>
    on.kind === 'endpoint' ? formatEndpoint(on.endpoint) : 'a socket of systemd',
  );
  log.info('ready', { listen: places.join(', '), backend: formatEndpoint(config.backend) });
}

function isImplicitPort(config: ServeConfig, port: number | undefined): boolean {
  const own = parsePort(port);
  return own !== undefined && config.implicit.some((endpoint) => endpoint.port === own);
}
