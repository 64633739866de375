// `ftpseal service` on the command line; on systems without such services it is hidden.
import type { Command } from 'commander';
import { examples } from './options.js';
import type { DaemonOptions } from './daemon-command.js';
import type { ServiceAction } from './service-command.js';

const actions: readonly (readonly [ServiceAction, string])[] = [
  ['install', 'have Windows start the daemon, now and always (administrator)'],
  ['remove', 'stop it and take it out of Windows’ services (administrator)'],
  ['start', 'start it (administrator)'],
  ['stop', 'stop it: FTP is not secured then (administrator)'],
];

/** `longRunning` adds the options that every daemon has. */
export function addServiceCommand(
  program: Command,
  longRunning: (command: Command) => Command,
  ended: (code: number) => void,
): void {
  const service = program
    .command('service', { hidden: process.platform !== 'win32' })
    .description('the daemon as a service of Windows')
    .addHelpText('after', examples('ftpseal service install', 'ftpseal service start'));
  longRunning(service.command('run', { hidden: true })).action(async (options: DaemonOptions) => {
    const { serviceRunCommand } = await import('./service-command.js');
    ended(await serviceRunCommand(options));
  });
  for (const [action, text] of actions) {
    service
      .command(action)
      .description(text)
      .action(async () => {
        const { serviceCommand } = await import('./service-command.js');
        await serviceCommand(action);
      });
  }
}
