// The command lines of `ftpseal keys`; what they do is in keys-commands.ts, loaded when one of them runs.
import type { Command } from 'commander';
import type * as KeysModule from './keys-commands.js';
import { examples, withJson, withRuntimeDir, type Shared } from './options.js';

const what = 'a server (host[:port]; without port: all of them) or a key (SHA256:…)';

type MakeCommand = (name: string) => Command;

/** `ftpseal keys …`. */
export function addKeysCommands(program: Command): void {
  const keys = program
    .command('keys')
    .description('the keys of servers: yours, or the machine’s as root')
    .addHelpText(
      'after',
      examples(
        'ftpseal keys list',
        'ftpseal keys add files.example.com SHA256:…',
        'ftpseal keys add files.example.com server.pem',
      ),
    );
  const sub: MakeCommand = (name) => withJson(withRuntimeDir(keys.command(name)));
  addShowing(sub);
  addAdding(sub);
  addRemoving(sub);
  addFiles(keys, sub);
}

function addShowing(sub: MakeCommand): void {
  sub('list')
    .description('all keys')
    .action(async (options: Shared) => {
      await (await import('./keys-commands.js')).keysList(options);
    });
  sub('show')
    .description('everything about a server or a key')
    .argument('<what>', what)
    .argument('[key]', 'one key of the server')
    .action(async (target: string, key: string | undefined, options: Shared) => {
      await (await import('./keys-commands.js')).keysShow(target, key, options);
    });
}

function addAdding(sub: MakeCommand): void {
  sub('add')
    .description('trust a key before the first contact, or beside the one that is trusted')
    .argument('<server>', 'host[:port]; a name is looked up and kept as well')
    .argument(
      '<key>',
      'SHA-256 fingerprint of the key, a PEM file (certificate or public key), or - for stdin',
    )
    .option('--comment <text>', 'a note')
    .option('--address <ip>', 'the address of the name, where it can’t be looked up')
    .option('--user <name>', 'for this user instead of the whole machine (root)')
    .option('--revoked', 'refuse this key from now on, wherever it shows up')
    .addHelpText(
      'after',
      examples(
        'ftpseal keys add files.example.com:2121 SHA256:…',
        'ftpseal keys add 192.0.2.1 - < server.pem',
      ),
    )
    .action(async (server: string, key: string, options: KeysModule.AddOptions) => {
      await (await import('./keys-commands.js')).keysAdd(server, key, options);
    });
}

function addRemoving(sub: MakeCommand): void {
  sub('remove')
    .description('forget keys; the next contact is a first contact')
    .argument('<what>', what)
    .argument('[key]', 'one key of the server')
    .addHelpText(
      'after',
      '\nWith the last key of a server ftpseal also forgets that it was encrypted\nbefore: then it may be used without encryption, if the configuration allows it.\nTo refuse a key for good, use: ftpseal keys revoke',
    )
    .action(async (target: string, key: string | undefined, options: Shared) => {
      await (await import('./keys-commands.js')).keysRemove(target, key, options);
    });
  sub('revoke')
    .description('refuse keys from now on, wherever they show up')
    .argument('<what>', what)
    .argument('[key]', 'one key of the server')
    .action(async (target: string, key: string | undefined, options: Shared) => {
      await (await import('./keys-commands.js')).keysRevoke(target, key, options);
    });
}

function addFiles(keys: Command, sub: MakeCommand): void {
  withRuntimeDir(keys.command('export'))
    .description('all keys as JSON')
    .argument('[file]', 'default: standard output')
    .action(async (file: string | undefined, options: Shared) => {
      await (await import('./keys-commands.js')).keysExport(file, options);
    });
  sub('import')
    .description('add the keys of an exported file')
    .argument('<file>', 'a file, or - for stdin')
    .action(async (file: string, options: Shared) => {
      await (await import('./keys-commands.js')).keysImport(file, options);
    });
}
