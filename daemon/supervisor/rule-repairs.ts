// What is said when another program removes redirect rules: to the log once and then once a minute at most, to the proxy always.
import type { Repair } from '../divert/diverter.js';
import type { RuleNews } from '../privops.js';
import type { SupervisorLog } from './supervisor-log.js';
import { steadyNow } from '../sys/steady-clock.js';

const LOG_EVERY_MS = 60_000;

export class RuleRepairs {
  readonly #log: SupervisorLog;
  readonly #tell: (news: RuleNews) => void;
  #count = 0;
  #loggedAt: number | undefined;

  constructor(log: SupervisorLog, tell: (news: RuleNews) => void) {
    this.#log = log;
    this.#tell = tell;
  }

  hear(repair: Repair): void {
    if (repair.kind === 'repaired') {
      this.#count += 1;
      const by = repair.by === undefined ? {} : { by: repair.by };
      this.#say('warn', 'another program removed rules of ftpseal; they were put back', {
        ...by,
        times: this.#count,
      });
      this.#tell({ kind: 'rulesRepaired', ...by });
      return;
    }
    const { userMessage } = repair.fault;
    this.#say('error', 'rules of ftpseal were removed and can’t be put back; trying again', {
      reason: userMessage,
    });
    this.#tell({ kind: 'rulesLost', sentence: userMessage.slice(0, 2048) });
  }

  /** Two programs that undo each other's work every second must not fill the log. */
  #say(level: 'warn' | 'error', message: string, fields: Readonly<Record<string, string | number>>): void {
    const now = steadyNow();
    if (this.#loggedAt !== undefined && now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    this.#log(level, message, fields);
  }
}
