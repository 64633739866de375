// The command line of `ftpseal tunnel`; what it does is in tunnel-command.ts, loaded when it runs.
import type { Command } from 'commander';
import { defaultConfigPath } from '../sys/usual-places.js';
import { examples } from './options.js';
import type * as TunnelModule from './tunnel-command.js';

const once = (_value: unknown, before: number): number => before + 1;

/** `ftpseal tunnel`. Resolves `onExit` with the code. */
export function addTunnelCommand(program: Command, onExit: (code: number) => void): void {
  program
    .command('tunnel')
    .description('a simple TLS tunnel: standard input and output, a program, or the sockets of a parent')
    .argument('[program...]', 'after --: a program and its arguments, as the clear side')
    .option('-c, --client', 'TLS client (default)')
    .option('-s, --server', 'TLS server')
    .option('-i, --inetd', 'server for the connection that inetd or systemd hands over')
    .option('-p, --port <[host:]port>', 'connect there; with -s listen there; with -i forward there')
    .option('-t, --timeout <seconds>', 'for connecting, and for silence')
    .option('-C, --certificate <file>', 'own certificate (default of a server: sst.pem in the folder of -D)')
    .option('-K, --key <file>', 'its private key (default: in the file of -C)')
    .option('-D, --directory <dir>', 'sst.pem and the certificates of authorities that are believed')
    .option('-M, --method <version>', 'tls1.2 or tls1.3 only')
    .option('-r, --require-certificate', 'the other end must show a valid certificate; self-signed will do')
    .option('-V, --depth <count>', 'at most so many certificates above it; implies -r')
    .option('-S, --strict', 'a certificate must lead to a known authority: self-signed is an error')
    .option('-e, --client-eof', 'the client’s end of file ends the connection')
    .option('-n, --no-encryption', 'no TLS at all, for tests')
    .option('-v, --verbose', 'say what happens')
    .option('-d, --debug', 'say more', once, 0)
    .option('-l, --syslog', 'say it in the system’s log instead of standard error')
    .option('--fingerprint <SHA256:…>', 'the other end must have this key')
    .option('--name <host>', 'the server’s certificate must be made out to this name (default: of -p)')
    .option('--hold-eof', 'keep the client’s end of file back until the server has ended')
    .option(
      '--config <file>',
      `configuration whose trust.ca_bundle is believed (default: ${defaultConfigPath})`,
    )
    .option('--passphrase-file <file>', 'file whose first line opens the private key')
    .addHelpText('after', help)
    .action(async (argv: readonly string[], options: TunnelModule.TunnelWords) => {
      onExit(await (await import('./tunnel-command.js')).tunnelCommand(argv, options));
    });
}

const help =
  examples(
    'ftpseal tunnel -p files.example.com:990 --fingerprint SHA256:…',
    'tar c docs | ftpseal tunnel -e -S -p backup.example.com:7000',
    'ftpseal tunnel -s -p 7000 -C server.pem -- tar x -C /backup',
    'ftpseal tunnel -i -C server.pem -p 2121        (a line of inetd.conf, a unit of systemd)',
  ) +
  [
    '',
    '',
    'Without -p and without a program a parent hands over two sockets: as client, clear',
    'data is on descriptor 0 and TLS on descriptor 1, as server the other way round.',
    '',
    'Exit codes: 0 both ends said that they were done, 1 not so, 2 wrong usage; with a',
    'program its own code.',
  ].join('\n');
