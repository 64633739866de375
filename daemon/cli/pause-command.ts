// `ftpseal pause` and `ftpseal resume`: what the tray's menu does, for a terminal.
import { connectDaemon, type DirOptions } from './paths.js';
import { print } from './output.js';

export interface PauseOptions extends DirOptions {
  readonly minutes: number;
}

export async function pauseCommand(options: PauseOptions): Promise<void> {
  const client = await connectDaemon(options);
  try {
    const { until } = await client.request('pause', { minutes: options.minutes });
    print(
      `Paused until ${new Date(until).toLocaleTimeString()}: your new FTP connections are not encrypted. End it with: ftpseal resume`,
    );
  } finally {
    client.close();
  }
}

export async function resumeCommand(options: DirOptions): Promise<void> {
  const client = await connectDaemon(options);
  try {
    await client.request('resume', {});
    print('Your new FTP connections are encrypted again. Those that began meanwhile stay as they are.');
  } finally {
    client.close();
  }
}
