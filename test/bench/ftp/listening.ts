// Whether something listens on a port of a lab host.
import { run } from '../../lab/harness/command.js';

/** Looks at the host's list of listening TCP sockets, so that no connection disturbs the program. */
export async function isListening(namespace: string, port: number, address?: string): Promise<boolean> {
  const { stdout } = await run({ namespace }, ['ss', '-Hltn', `src ${address ?? ''}:${port}`]);
  return stdout.trim() !== '';
}
