// Drives desk-main.ts from a test: the person's panel and notifier.
import path from 'node:path';
import { z } from 'zod';
import { waitFor, type Running } from '../../lab/harness/command.js';
import type { DesktopSession } from './keyring.js';

const answerSchema = z.object({
  id: z.number(),
  error: z.string().optional(),
  result: z.unknown().optional(),
});
const itemSchema = z.object({
  title: z.string(),
  status: z.string(),
  tooltip: z.unknown(),
  sizes: z.array(z.number()),
});
const entrySchema = z.object({
  id: z.number(),
  label: z.string(),
  enabled: z.boolean(),
  checked: z.number(),
});
export type DeskEntry = z.infer<typeof entrySchema>;
const notifiedSchema = z.object({
  number: z.number(),
  summary: z.string(),
  body: z.string(),
  actions: z.array(z.string()),
  closed: z.boolean(),
});
export type DeskNotification = z.infer<typeof notifiedSchema>;

/** Ends with the session that it runs in. */
export class Desk {
  readonly running: Running;
  readonly #waiting = new Map<number, (answer: z.infer<typeof answerSchema>) => void>();
  #count = 0;
  #pending = '';

  constructor(session: DesktopSession, program: string) {
    const script = path.join(program, 'dist/test/desktop/harness/desk-main.js');
    this.running = session.start([process.execPath, script]);
    this.running.child.stdout?.on('data', (text: string) => {
      const lines = (this.#pending + text).split('\n');
      this.#pending = lines.pop() ?? '';
      for (const line of lines) {
        const answer = answerSchema.parse(JSON.parse(line));
        this.#waiting.get(answer.id)?.(answer);
        this.#waiting.delete(answer.id);
      }
    });
  }

  async item(): Promise<z.infer<typeof itemSchema>> {
    return itemSchema.parse(await this.#ask({ do: 'item' }));
  }

  async menu(): Promise<readonly DeskEntry[]> {
    return z.array(entrySchema).parse(await this.#ask({ do: 'menu' }));
  }

  /** Waits for an entry of the menu. */
  async entry(label: RegExp): Promise<DeskEntry> {
    let last: readonly DeskEntry[] | string = [];
    let found: DeskEntry | undefined;
    await waitFor(
      () => `a menu entry ${String(label)}: ${JSON.stringify(last)} ${this.running.stderr()}`,
      async () => {
        const menu = await this.menu().catch((error: unknown) => String(error));
        last = menu;
        found = typeof menu === 'string' ? undefined : menu.find((one) => label.test(one.label));
        return found !== undefined;
      },
    );
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  async click(label: RegExp): Promise<void> {
    await this.#ask({ do: 'click', number: (await this.entry(label)).id });
  }

  /** A click on an entry by its number, whether or not it is still there. */
  async clickNumber(number: number): Promise<void> {
    await this.#ask({ do: 'click', number });
  }

  async becomesNotifier(): Promise<void> {
    await this.#ask({ do: 'notifier' });
  }

  async stopsNotifying(): Promise<void> {
    await this.#ask({ do: 'noNotifier' });
  }

  async notified(): Promise<readonly DeskNotification[]> {
    return z.array(notifiedSchema).parse(await this.#ask({ do: 'notified' }));
  }

  /** Waits for a notification that is open. */
  async notification(summary: RegExp): Promise<DeskNotification> {
    let all: readonly DeskNotification[] = [];
    const find = (): DeskNotification | undefined =>
      all.find((one) => !one.closed && summary.test(one.summary));
    await waitFor(
      () => `a notification ${String(summary)}: ${JSON.stringify(all)}`,
      async () => {
        all = await this.notified();
        return find() !== undefined;
      },
    );
    const found = find();
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  /** From now on this action is invoked on each notification as soon as it is shown. */
  async isEagerFor(action: string): Promise<void> {
    await this.#ask({ do: 'eager', action });
  }

  async invoke(number: number, action: string): Promise<void> {
    await this.#ask({ do: 'invoke', number, action });
  }

  async #ask(request: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = (this.#count += 1);
    const answered = new Promise<z.infer<typeof answerSchema>>((resolve) => this.#waiting.set(id, resolve));
    this.running.child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    const gone = this.running.ended.then(() => ({ id, error: this.running.stderr(), result: undefined }));
    const { error, result } = await Promise.race([answered, gone]);
    if (error !== undefined) throw new Error(`${JSON.stringify(request)}: ${error}`);
    return result;
  }
}
