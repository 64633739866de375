// The command line of `ftpseal serve`; what it does is in serve-command.ts, loaded when it runs.
import { Option, type Command } from 'commander';
import { examples } from './options.js';
import type * as ServeModule from './serve-command.js';

/** `ftpseal serve`. `onExit` gets the exit code. */
export function addServeCommand(program: Command, onExit: (code: number) => void): void {
  program
    .command('serve')
    .description('stand in front of a plain FTP server of this machine and offer FTPS and X-SafeTP1')
    .option('--config <file>', 'configuration file, table [serve] (default: /etc/ftpseal/config.toml)')
    .option('--listen <address:port...>', 'where to listen; AUTH TLS encrypts (default: 0.0.0.0:21)')
    .option('--implicit <address:port...>', 'where to listen for connections that begin with TLS')
    .option('--backend <address:port>', 'the plain FTP server (default: 127.0.0.1:2121)')
    .option('--certificate <file...>', 'certificate with its chain; several are chosen from by name')
    .option('--key <file...>', 'key, unless it stands in the certificate’s file')
    .option('--safetp-key <file>', 'offer X-SafeTP1 (legacy) too, with this key; made if it is missing')
    .option('--show-key', 'print the public key of X-SafeTP1, which clients can be given, and end')
    .option('--require <what>', 'none, secure or secure-data: what clients without TLS may do')
    .option('--passive-ports <first-last>', 'ports for data connections')
    .option('--public-address <address>', 'what clients are told behind address translation')
    .option('--inetd', 'serve the connection on standard input')
    .option('--state-dir <dir>', 'where the log is kept, besides standard error')
    .addOption(
      new Option('--log-level <level>', 'what is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText(
      'after',
      examples(
        'ftpseal serve --certificate server.pem --backend 127.0.0.1:2121',
        'ftpseal serve --config /etc/ftpseal/config.toml',
      ),
    )
    .action(async (options: ServeModule.ServeCommandOptions) => {
      const { serveCommand } = await import('./serve-command.js');
      onExit(await serveCommand(options));
    });
}
