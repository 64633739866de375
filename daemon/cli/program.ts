// The command line: names, options, help and exit codes. What a command does is in its own file, loaded when it runs, so
// that the privileged daemon loads nothing of the others.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT } from '../../shared/fault.js';
import { programVersion } from '../sys/program-version.js';
import { defaultConfigPath } from '../sys/usual-places.js';

import { addCertCommands } from './cert-program.js';
import type * as DaemonModule from './daemon-command.js';
import type * as StatusModule from './status-command.js';
import type * as DoctorModule from './doctor/doctor-command.js';
import { addKeysCommands } from './keys-program.js';
import { examples, withJson, withRuntimeDir, type Shared } from './options.js';
import type * as LogModule from './log-command.js';
import type * as PauseModule from './pause-command.js';
import type * as PromptsModule from './prompts-command.js';
import type * as ProxyModule from './proxy-command.js';
import { sayFault } from './said-fault.js';
import { addServeCommand } from './serve-program.js';
import { addServiceCommand } from './service-program.js';
import type * as SessionsModule from './sessions-command.js';
import { addTunnelCommand } from './tunnel-program.js';

const logLevels = ['debug', 'info', 'warn', 'error'];

/** Runs one command line (without node and script); resolves with the exit code and never rejects. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const outcome: Outcome = { exitCode: EXIT.done };
  try {
    await makeProgram(outcome).parseAsync([...argv], { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    // Commander has said what is wrong; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return sayFault(error);
  }
}

/** For commands that end with a code of their own. */
interface Outcome {
  exitCode: number;
}

/** Every command with its options and help, to be described and not to be run: man pages and completions are made from it. */
export function commandTree(): Command {
  return makeProgram({ exitCode: EXIT.done });
}

function makeProgram(outcome: Outcome): Command {
  const program = new Command('ftpseal')
    .description(
      'Makes every FTP program of this machine a safe one: encrypts and checks servers on their way out.',
    )
    // Without commander's -V: that is an option of tunnel's, and would be taken from it.
    .version(programVersion(), '--version')
    .exitOverride()
    .showHelpAfterError('(see ftpseal --help)')
    .configureHelp({ helpWidth: 80 })
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 no daemon, 4 not permitted.');
  addDaemonCommands(program, outcome);
  addHoldCommand(program);
  addLookCommands(program, outcome);
  addPromptsCommand(program);
  addPauseCommands(program);
  addTrayCommands(program, outcome);
  addKeysCommands(program);
  addCertCommands(program);
  addServeCommand(program, (code) => {
    outcome.exitCode = code;
  });
  addServiceCommand(program, longRunning, (code) => {
    outcome.exitCode = code;
  });
  addTunnelCommand(program, (code) => {
    outcome.exitCode = code;
  });
  return program;
}

/** The options of whatever stays: daemon, proxy, service. */
function longRunning(command: Command): Command {
  return withRuntimeDir(command)
    .option('--config <file>', `configuration file (default: ${defaultConfigPath})`)
    .option('--state-dir <dir>', 'where keys and the log are kept')
    .addOption(new Option('--log-level <level>', 'what is logged').choices(logLevels).default('info'));
}

function addDaemonCommands(program: Command, outcome: Outcome): void {
  longRunning(program.command('daemon'))
    .description('intercept and secure FTP connections until stopped (root)')
    .option('--foreground', 'log to the terminal, and ask questions there')
    .option('--proxy-user <user>', 'name or uid that the proxy runs as (default: ftpseal, else 21021)')
    .addHelpText('after', examples('sudo ftpseal daemon --foreground'))
    .action(async (options: DaemonModule.DaemonOptions) => {
      const { daemonCommand } = await import('./daemon-command.js');
      outcome.exitCode = await daemonCommand(options);
    });
  longRunning(program.command('proxy'))
    .description('explicit proxy, needs no root: connect to it and log in as name@host')
    .option('--listen <address:port...>', 'where to listen', ['127.0.0.1:2121'])
    .addHelpText('after', examples('ftpseal proxy', 'ftpseal proxy --listen 127.0.0.1:2121 "[::1]:2121"'))
    .action(async (options: ProxyModule.ProxyOptions) => {
      const { proxyCommand } = await import('./proxy-command.js');
      outcome.exitCode = await proxyCommand(options);
    });
  program
    .command('cleanup')
    .description('remove the redirect rules that a daemon which died may have left (root)')
    .option(
      '--after-exit',
      'for systemd: not what refuses FTP while on_failure or an upgrade wants it refused',
    )
    .action(async (options: DaemonModule.CleanupOptions) => {
      const { cleanupCommand } = await import('./daemon-command.js');
      await cleanupCommand(options);
    });
}

function addHoldCommand(program: Command): void {
  program
    .command('hold')
    .description('refuse FTP until the daemon runs: for what boots the machine, before the network (root)')
    .option('--config <file>', `configuration file (default: ${defaultConfigPath})`)
    .action(async (options: Pick<DaemonModule.DaemonOptions, 'config'>) => {
      await (await import('./daemon-command.js')).holdCommand(options);
    });
}

function addLookCommands(program: Command, outcome: Outcome): void {
  withJson(withRuntimeDir(program.command('status')))
    .description('what the daemon does now, on one screen')
    .option('--check', 'say by the exit code how it is: 0 well, 5 not secured now, 6 look at the warnings')
    .addHelpText('after', examples('ftpseal status', 'ftpseal status --json --check'))
    .action(async (options: StatusModule.StatusOptions) => {
      const { statusCommand } = await import('./status-command.js');
      outcome.exitCode = await statusCommand(options);
    });
  withJson(withRuntimeDir(program.command('sessions')))
    .description('the FTP sessions that run now and how they are protected')
    .option('--watch', 'go on and show every change')
    .option('--close <id>', 'end one session')
    .addHelpText('after', examples('ftpseal sessions --watch', 'ftpseal sessions --json'))
    .action(async (options: SessionsModule.SessionsOptions) => {
      const { sessionsCommand } = await import('./sessions-command.js');
      await sessionsCommand(options);
    });
  withJson(program.command('check'))
    .description('test a configuration file without starting anything')
    .argument('[file]', `default: ${defaultConfigPath}`)
    .action(async (file: string | undefined, options: Shared) => {
      const { checkCommand } = await import('./daemon-command.js');
      await checkCommand(file, options);
    });
  withJson(withRuntimeDir(program.command('doctor')))
    .description('what is missing on this machine, or whether a server can be secured')
    .argument('[server]', 'host[:port]: try to secure a connection to it; no login is sent')
    .option('--config <file>', 'configuration file')
    .addHelpText('after', examples('ftpseal doctor', 'ftpseal doctor files.example.com'))
    .action(async (server: string | undefined, options: DoctorModule.DoctorOptions) => {
      const { doctorCommand } = await import('./doctor/doctor-command.js');
      outcome.exitCode = await doctorCommand(server, options);
    });
  withJson(withRuntimeDir(program.command('log')))
    .description('the last lines of the log (root)')
    .option('-f, --follow', 'go on and show every new line')
    .option('-n, --lines <count>', 'how many lines', parseCount, 50)
    .action(async (options: LogModule.LogOptions) => {
      const { logCommand } = await import('./log-command.js');
      await logCommand(options);
    });
}

function addPromptsCommand(program: Command): void {
  withJson(withRuntimeDir(program.command('prompts')))
    .description('open questions of trust, and their answers')
    .argument('[answer]', 'with --answer: trust, once, refuse, or the fingerprint that the owner gave you')
    .option('--answer <question>', 'the question that is answered')
    .option('--watch', 'go on and show new questions')
    .addHelpText(
      'after',
      examples(
        'ftpseal prompts',
        'ftpseal prompts --answer 3f2a91 trust',
        'ftpseal prompts --answer 3f2a91 SHA256:…',
      ),
    )
    .action(async (answer: string | undefined, options: PromptsModule.PromptsOptions) => {
      const { promptsCommand } = await import('./prompts-command.js');
      await promptsCommand(answer, options);
    });
}

function addPauseCommands(program: Command): void {
  withRuntimeDir(program.command('pause'))
    .description('leave your own new FTP connections alone, that is not encrypted, for a while')
    .option('--minutes <count>', 'how long, up to 60', parseMinutes, 15)
    .action(async (options: PauseModule.PauseOptions) => {
      await (await import('./pause-command.js')).pauseCommand(options);
    });
  withRuntimeDir(program.command('resume'))
    .description('end a pause')
    .action(async (options: Shared) => {
      await (await import('./pause-command.js')).resumeCommand(options);
    });
}

function addTrayCommands(program: Command, outcome: Outcome): void {
  withRuntimeDir(program.command('tray'))
    .description('your tray icon: asks about new servers, keeps your keys in your keychain (not as root)')
    .option('--quit', 'end the one that runs')
    .addHelpText('after', examples('ftpseal tray', 'ftpseal tray --quit'))
    .action(async (options: Shared & { readonly quit?: boolean }) => {
      outcome.exitCode = await (await import('./tray-command.js')).trayCommand(options);
    });
  withRuntimeDir(program.command('manager'))
    .description('open the window with sessions, keys, policy and history (not as root)')
    .action(async (options: Shared) => {
      outcome.exitCode = await (await import('./tray-command.js')).managerCommand(options);
    });
}

function parseMinutes(text: string): number {
  if (/^[0-9]{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 60) return Number(text);
  throw new InvalidArgumentError('must be a number from 1 to 60.');
}

function parseCount(text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 10_000) return Number(text);
  throw new InvalidArgumentError('must be a number up to 10000.');
}
