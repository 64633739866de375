// Drives vault-main.ts from a test.
import path from 'node:path';
import { z } from 'zod';
import { waitFor, type Running } from '../../lab/harness/command.js';
import type { VaultRecord } from '../../../shared/agent-messages.js';
import type { DesktopSession } from './keyring.js';

const answerSchema = z.object({
  id: z.number(),
  error: z.string().optional(),
  result: z.unknown().optional(),
});
const stateSchema = z.object({ kind: z.string(), sentence: z.string().optional() });
const pageSchema = z.object({ records: z.array(z.unknown()), next: z.number().optional() });

/** Ends with the session that it runs in. */
export class VaultProcess {
  readonly running: Running;
  readonly #answers = new Map<number, z.infer<typeof answerSchema>>();
  #count = 0;
  #pending = '';

  constructor(session: DesktopSession, program: string, env: Readonly<Record<string, string>> = {}) {
    this.running = session.start(
      [process.execPath, path.join(program, 'dist/test/desktop/harness/vault-main.js')],
      env,
    );
    this.running.child.stdout?.on('data', (text: string) => {
      const lines = (this.#pending + text).split('\n');
      this.#pending = lines.pop() ?? '';
      for (const line of lines) {
        const answer = answerSchema.parse(JSON.parse(line));
        this.#answers.set(answer.id, answer);
      }
    });
  }

  async state(): Promise<string> {
    return stateSchema.parse(await this.#ask({ do: 'state' })).kind;
  }

  /** Waits until the keychain is in this state, and its sentence has these words. */
  async becomes(kind: string, words = /(?:)/): Promise<void> {
    let last: z.infer<typeof stateSchema> = { kind: 'unknown' };
    await waitFor(
      () => `the keychain to be ${kind}; it is ${JSON.stringify(last)}`,
      async () => {
        last = stateSchema.parse(await this.#ask({ do: 'state' }));
        return last.kind === kind && words.test(last.sentence ?? '');
      },
    );
  }

  /** All pages. */
  async read(): Promise<readonly unknown[]> {
    const records: unknown[] = [];
    for (let from: number | undefined = 0; from !== undefined;) {
      const page: z.infer<typeof pageSchema> = pageSchema.parse(await this.#ask({ do: 'read', from }));
      records.push(...page.records);
      from = page.next;
    }
    return records;
  }

  async write(change: {
    readonly put?: readonly VaultRecord[];
    readonly remove?: readonly VaultRecord[];
  }): Promise<void> {
    await this.#ask({ do: 'write', change: { put: [], remove: [], ...change } });
  }

  /** Rejects with the vault's sentence. */
  async #ask(request: object): Promise<unknown> {
    const id = (this.#count += 1);
    this.running.child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    await waitFor(
      () => `an answer to ${JSON.stringify(request)}: ${this.running.stderr()}`,
      () => this.#answers.has(id),
    );
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (answer?.error !== undefined) throw new Error(answer.error);
    return answer?.result;
  }
}
