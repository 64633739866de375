// The command lines of `ftpseal cert`; what they do is in cert-commands.ts, loaded when one of them runs.
import type { Command } from 'commander';
import type * as CertModule from './cert-commands.js';
import { examples, withJson } from './options.js';

const outText = 'path of the files without their endings (default: the first name, in this folder)';
const keyText = 'rsa-2048, rsa-3072, rsa-4096, p-256 or p-384';
const passphraseText = 'file whose first line is the passphrase (default: asked on the terminal)';

/** `ftpseal cert …`. */
export function addCertCommands(program: Command): void {
  const cert = program
    .command('cert')
    .description('certificates for FTPS servers and tunnels: make, request, import, show')
    .addHelpText(
      'after',
      examples(
        'ftpseal cert create ftp.example.com 192.0.2.1',
        'ftpseal cert import server.p12 --out /etc/ftpseal/server',
        'ftpseal cert show /etc/ftpseal/server.crt',
      ),
    );
  addCreate(cert);
  addRequest(cert);
  addImport(cert);
  addShow(cert);
}

function withSubject(command: Command): Command {
  return withJson(command)
    .argument('<name...>', 'names and addresses of the server; *.example.com is possible')
    .option('--organization <text>', 'who runs the server')
    .option('--country <code>', 'two letters, such as DE')
    .option('--out <path>', outText)
    .option('--force', 'replace files that are there');
}

function addCreate(cert: Command): void {
  withSubject(cert.command('create'))
    .description('make a key (.key), a certificate signed by itself (.crt) and a request (.csr)')
    .option('--key-type <kind>', keyText, 'rsa-2048')
    .option('--days <count>', 'how long it is valid', '825')
    .option('--joint', 'also write key and certificate into one file (.pem)')
    .addHelpText(
      'after',
      examples(
        'ftpseal cert create ftp.example.com',
        'ftpseal cert create ftp.example.com 192.0.2.1 2001:db8::1 --key-type p-256',
        'ftpseal cert create localhost --joint --out sst',
      ),
    )
    .action(async (names: readonly string[], options: CertModule.CreateOptions) => {
      await (await import('./cert-commands.js')).certCreate(names, options);
    });
}

function addRequest(cert: Command): void {
  withSubject(cert.command('csr'))
    .description('make a request (.csr) that an authority turns into a certificate')
    .option('--key <file>', 'for this private key (default: a new one, .key)')
    .option('--key-type <kind>', `of a new key: ${keyText}`, 'rsa-2048')
    .option('--passphrase-file <file>', passphraseText)
    .addHelpText(
      'after',
      examples(
        'ftpseal cert csr ftp.example.com --organization "Example Ltd" --country GB',
        'ftpseal cert csr ftp.example.com --key ftp.example.com.key --out renewal',
      ),
    )
    .action(async (names: readonly string[], options: CertModule.RequestOptions) => {
      await (await import('./cert-commands.js')).certRequest(names, options);
    });
}

function addImport(cert: Command): void {
  withJson(cert.command('import'))
    .description('check a key with its certificates and write them the way servers want them')
    .argument(
      '<file...>',
      'PEM (apart or joint), DER or PKCS#12; key, certificate and those of the authority',
    )
    .option('--out <path>', outText)
    .option('--joint', 'also write everything into one file (.pem)')
    .option('--authority <file>', 'PEM file of authorities that your clients know')
    .option('--strict', 'write nothing if clients would object to anything')
    .option('--force', 'replace files that are there')
    .option('--passphrase-file <file>', passphraseText)
    .addHelpText(
      'after',
      examples(
        'ftpseal cert import server.key server.crt intermediate.crt',
        'ftpseal cert import server.p12 --passphrase-file secret --out /etc/ftpseal/server',
      ) + '\n\nThe key is written without passphrase, readable for its owner only (0600).',
    )
    .action(async (files: readonly string[], options: CertModule.ImportOptions) => {
      await (await import('./cert-commands.js')).certImport(files, options);
    });
}

function addShow(cert: Command): void {
  withJson(cert.command('show'))
    .description('names, dates and fingerprints, as clients will see them')
    .argument('<file...>', 'certificates, keys, requests; PEM, DER or PKCS#12')
    .option('--authority <file>', 'PEM file of authorities that your clients know')
    .option('--passphrase-file <file>', passphraseText)
    .addHelpText('after', examples('ftpseal cert show server.crt', 'ftpseal cert show server.p12 --json'))
    .action(async (files: readonly string[], options: CertModule.ShowOptions) => {
      await (await import('./cert-commands.js')).certShow(files, options);
    });
}
