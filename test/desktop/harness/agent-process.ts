// Runs agent-main.ts as a person, and tells what it says.
import path from 'node:path';
import { z } from 'zod';
import { waitFor, type Running } from '../../lab/harness/command.js';
import type { Daemon } from '../../lab/harness/ftpseal.js';
import type { DesktopSession } from './keyring.js';

const stateSchema = z.object({
  daemon: z.string(),
  vault: z.string(),
  questions: z.array(z.string()),
  sessions: z.number(),
});
export type SeenState = z.infer<typeof stateSchema>;

/** Ends with the session that it runs in, or by `kill`. */
export class AgentProcess {
  readonly running: Running;

  constructor(session: DesktopSession, daemon: Daemon) {
    const script = path.join(daemon.program, 'dist/test/desktop/harness/agent-main.js');
    this.running = session.start([process.execPath, script, path.join(daemon.folder, 'run')]);
  }

  /** Everything that it has seen so far, oldest first. */
  seen(): readonly SeenState[] {
    const lines = this.running.stdout().split('\n').slice(0, -1);
    return lines.map((line) => stateSchema.parse(JSON.parse(line)));
  }

  async until(what: string, condition: (state: SeenState) => boolean): Promise<void> {
    const last = (): SeenState | undefined => this.seen().at(-1);
    await waitFor(
      () => `the agent to see ${what}; it sees ${JSON.stringify(last())} ${this.running.stderr()}`,
      () => {
        const state = last();
        return state !== undefined && condition(state);
      },
    );
  }

  connected(vault = 'ready'): Promise<void> {
    return this.until(
      `the daemon, with a keychain that is ${vault}`,
      (state) => state.daemon === 'connected' && state.vault === vault,
    );
  }

  /** Without a word to anybody. */
  async kill(): Promise<void> {
    this.running.child.kill('SIGKILL');
    await this.running.ended;
  }
}
