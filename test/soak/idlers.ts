// Sessions that are logged in and say something once in a while.
import { login } from '../lab/harness/account.js';
import { SessionAgent } from '../lab/harness/session-agent.js';
import type { Ground } from './ground.js';
import { pause } from './trouble.js';

const harmless = /^(?:2\d\d |4\d\d |closed$|reset$|timeout$|refused$|OSError)/;

export class Idlers {
  readonly #ground: Ground;
  /** Answers that no client should ever get. */
  readonly strange: string[] = [];
  answered = 0;
  lost = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** One session at each server, opened again when it is lost, until the signal. */
  async go(everyMs: number, signal: AbortSignal): Promise<void> {
    const agent = new SessionAgent(this.#ground.lab);
    try {
      await Promise.all(
        this.#ground.servers.map(async ({ name, address }) => {
          while (!signal.aborted) await this.#live(agent, name, address.ipv4, everyMs, signal);
        }),
      );
    } finally {
      await agent.kill();
    }
  }

  async #live(
    agent: SessionAgent,
    name: string,
    host: string,
    everyMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const words: readonly [string, string] = [login.user, login.password];
    const opened = await agent.ask({ op: 'open', name, host, login: words, patience: 20 });
    let reply = opened.replies?.[0] ?? '';
    while (reply.startsWith('2') && (await pause(everyMs, signal))) {
      reply = await agent.reply({ op: 'say', name, text: 'NOOP' });
      if (reply.startsWith('2')) this.answered += 1;
    }
    if (!reply.startsWith('2')) this.lost += 1;
    if (!harmless.test(reply)) this.strange.push(`an idle session at ${name} heard: ${reply}`);
    await agent.ask({ op: 'close', name });
    await pause(1000, signal);
  }
}
