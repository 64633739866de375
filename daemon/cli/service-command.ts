// `ftpseal service`: Windows' way to run the daemon.
import { join, resolve } from 'node:path';
import { EXIT, Fault } from '../../shared/fault.js';
import { serviceName } from '../service/service-control.js';
import { formatEntry } from '../sys/log-line.js';
import { machinePlaces } from '../sys/usual-places.js';
import { RotatingFile } from '../sys/rotating-file.js';
import { superviseDaemon, type DaemonOptions } from './daemon-command.js';
import { print } from './output.js';

/** 3 files of 1 MiB: what the supervisor has to say is a few lines a day. */
const rotation = { maxBytes: 1024 * 1024, keep: 2 };

/** What the service manager starts. Resolves with the exit code when the service has ended. */
export async function serviceRunCommand(options: DaemonOptions): Promise<number> {
  const { runService } = await import('../service/run-service.js');
  const stateDir = resolve(options.stateDir ?? machinePlaces.stateDir);
  return runService(serviceName, async ({ running, stop }) => {
    const log = new RotatingFile(join(stateDir, 'log', 'service.log'), rotation);
    const write = (level: string, message: string, fields: Readonly<Record<string, unknown>>): void => {
      log.write(`${formatEntry({ level, time: Date.now(), message }, fields)}\r\n`);
    };
    try {
      return await superviseDaemon(options, { onReady: running, stop, log: write });
    } catch (error) {
      // Nobody reads what a service says on its way out, but here.
      const fault = Fault.from(error);
      write('error', fault.userMessage, { code: fault.code });
      return EXIT.failed;
    } finally {
      log.close();
    }
  });
}

export type ServiceAction = 'install' | 'remove' | 'start' | 'stop';

export async function serviceCommand(action: ServiceAction): Promise<void> {
  if (process.platform !== 'win32') {
    throw new Fault('usage', 'Services are Windows’ own; here it is: systemctl start ftpseal');
  }
  const control = await import('../service/service-control.js');
  switch (action) {
    case 'install':
      control.installService([process.execPath, resolve(process.argv[1] ?? ''), 'service', 'run']);
      print('The service ftpseal is installed; it starts with Windows. Now: ftpseal service start');
      return;
    case 'remove':
      print(
        (await control.removeService()) ? 'The service ftpseal is gone.' : 'There was no service ftpseal.',
      );
      return;
    case 'start':
      await control.startService();
      print('The service ftpseal runs.');
      return;
    case 'stop':
      print(
        (await control.stopService()) === 'none'
          ? 'There is no service ftpseal.'
          : 'The service ftpseal has ended.',
      );
  }
}
