// Starts agents on lab hosts and talks to them.
import { spawn } from 'node:child_process';
import { z } from 'zod';
import { argvAt } from '../harness/command.js';
import { answerSchema } from './protocol.js';
import { stagedProgram } from './staged.js';
import type { Answer, Request } from './protocol.js';

export interface Agent {
  readonly pid: number;
  /** Resolves when the process has ended, however. */
  readonly gone: Promise<void>;
  ask(request: Request): Promise<Answer>;
  kill(): Promise<void>;
}

const replySchema = z.object({ id: z.number(), answer: answerSchema });

/** Starts an agent in `namespace`, as `uid` (root without one), its work in a worker thread or over the TUN layer if asked. */
export function startAgent(
  namespace: string,
  options: { readonly uid?: number; readonly thread?: boolean; readonly layer?: 'tun' } = {},
): Agent {
  const file = stagedProgram('agent.js');
  const [program = '', ...argv] = argvAt({ namespace, uid: options.uid }, [process.execPath, file]);
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    ...(options.thread === true ? { AGENT_THREAD: '1' } : {}),
    ...(options.layer === undefined ? {} : { AGENT_LAYER: options.layer }),
  };
  const child = spawn(program, argv, { cwd: '/', env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map<number, (answer: Answer) => void>();
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      for (const settle of waiting.values()) settle({ error: 'the agent has gone' });
      resolve();
    });
  });
  child.on('message', (message) => {
    const reply = replySchema.parse(message);
    waiting.get(reply.id)?.(reply.answer);
    waiting.delete(reply.id);
  });
  let nextId = 1;
  return {
    pid: child.pid ?? -1,
    gone,
    ask: (request) =>
      new Promise((resolve) => {
        const id = nextId++;
        waiting.set(id, resolve);
        child.send({ id, request });
      }),
    kill: () => {
      child.kill('SIGKILL');
      return gone;
    },
  };
}
