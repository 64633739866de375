// The man in the middle as a test sees it: tell it what to do, read what it saw.
import { fileURLToPath } from 'node:url';
import { must, start, waitFor, type Running } from '../harness/command.js';
import { reportSchema, type Plan, type Report } from './middle-plan.js';

const program = fileURLToPath(new URL('./middle-main.js', import.meta.url));
const port = 9021;
/** The client host's side of the routing host. */
const device = 'eth0-21';

export class Middle {
  readonly #running: Running;

  private constructor(running: Running) {
    this.#running = running;
  }

  /** Takes every TCP connection that passes the routing host from now on. */
  static async start(mitm: string): Promise<Middle> {
    const running = start({ namespace: mitm }, [process.execPath, program, String(port)]);
    const middle = new Middle(running);
    await waitFor(
      () => `the middle: ${running.stderr()}`,
      () => middle.reports().length > 0,
    );
    const chain = `type nat hook prerouting priority dstnat; iifname "${device}" meta l4proto tcp redirect to :${port}`;
    await must({ namespace: mitm }, ['nft', `table inet middle { chain pre { ${chain}; }; }`]);
    return middle;
  }

  /** Everything reported so far. */
  reports(): readonly Report[] {
    const lines = this.#running.stdout().split('\n').slice(0, -1);
    return lines.map((line) => reportSchema.parse(JSON.parse(line)));
  }

  /** From the next connection on; what is left out passes. */
  async plan(plan: Partial<Plan>): Promise<void> {
    const planned = () => this.reports().filter((entry) => entry.kind === 'planned').length;
    const before = planned();
    const whole: Plan = { control: { kind: 'pass' }, data: { kind: 'pass' }, ...plan };
    this.#running.child.stdin?.write(`${JSON.stringify(whole)}\n`);
    await waitFor(
      () => `the middle: ${this.#running.stderr()}`,
      () => planned() > before,
    );
  }

  /** What the middle got to read on data connections from report number `from` on. */
  texts(from: number): readonly string[] {
    return this.reports()
      .slice(from)
      .flatMap((entry) => (entry.kind === 'read' ? [entry.text] : []));
  }

  stop(): Promise<void> {
    return this.#running.stop();
  }
}
