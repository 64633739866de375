// A process of plain FTP sessions on a lab host, for tests that kill things under a client; what it does is
// test/lab/clients/session_agent.py.
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { clientUid } from './account.js';
import { start, type Running } from './command.js';
import type { Lab } from './lab.js';
import { repository } from './server.js';

const answerSchema = z.object({
  id: z.number(),
  replies: z.string().array().optional(),
  /** The local ports of the sessions that were opened. */
  ports: z.number().array().optional(),
  bytes: z.number().optional(),
  /** How a data connection ended: `end`, or the name of an error. */
  data: z.string().optional(),
  sent: z.number().optional(),
  fault: z.string().optional(),
});
export type SessionAnswer = z.infer<typeof answerSchema>;

/** One thing to do with the sessions of one name. Paths are the client's. */
export type SessionRequest =
  | {
      readonly op: 'open';
      readonly name: string;
      readonly host: string;
      readonly login?: readonly [string, string];
      readonly count?: number;
      /** Seconds for each answer; a minute by default. */
      readonly patience?: number;
    }
  | { readonly op: 'say' | 'insist'; readonly name: string; readonly text: string }
  | {
      readonly op: 'start';
      readonly name: string;
      readonly command: string;
      readonly path: string;
      /** Seconds of rest after each 64 KiB. */
      readonly pause?: number;
      /** Another port for the data connection than the one that was offered. */
      readonly port?: number;
    }
  | { readonly op: 'listen' | 'passive' | 'moved' | 'hurry' | 'finish' | 'close'; readonly name: string };

/** A running agent. */
export class SessionAgent {
  readonly #running: Running;
  readonly #waiting = new Map<number, (answer: SessionAnswer) => void>();
  #ids = 0;

  /** Starts it on the client's host as an ordinary user. */
  constructor(lab: Lab) {
    const script = path.join(lab.folder, 'session_agent.py');
    copyFileSync(path.join(repository, 'test/lab/clients/session_agent.py'), script);
    const place = { namespace: lab.network.pc, uid: clientUid, cwd: lab.folder };
    this.#running = start(place, ['/usr/bin/python3', script]);
    let unread = '';
    this.#running.child.stdout?.on('data', (text: string) => {
      const lines = (unread + text).split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) this.#take(answerSchema.parse(JSON.parse(line)));
    });
  }

  /** Rejects when the agent has ended, or met what is no matter of a socket. */
  async ask(request: SessionRequest): Promise<SessionAnswer> {
    const id = (this.#ids += 1);
    const answer = new Promise<SessionAnswer>((resolve) => this.#waiting.set(id, resolve));
    this.#running.child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    const gone = this.#running.ended.then((): SessionAnswer => ({ id, fault: 'the agent has gone' }));
    const settled = await Promise.race([answer, gone]);
    if (settled.fault !== undefined) throw new Error(`${settled.fault} ${this.#running.stderr()}`);
    return settled;
  }

  /** The one reply to a request about one session. */
  async reply(request: SessionRequest): Promise<string> {
    return (await this.ask(request)).replies?.[0] ?? '';
  }

  /** SIGKILL: its sockets are closed by the kernel. */
  async kill(): Promise<void> {
    this.#running.child.kill('SIGKILL');
    await this.#running.ended;
  }

  #take(answer: SessionAnswer): void {
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }
}
