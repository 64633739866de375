// The redirect layer of Linux: keeps the table `inet ftpseal` equal to the plan.
import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../../../shared/fault.js';
import { CallQueue } from '../call-queue.js';
import { nftCommand } from './nft-command.js';
import { nftLibrary } from './nft-library.js';
import {
  formatHold,
  formatHoldRemoval,
  formatRemoval,
  formatRuleset,
  formatServerChange,
  formatTakeover,
  formatTakeoverRemoval,
  tableNames,
} from './ruleset.js';
import { watchTables } from './table-watch.js';
import type { DivertPlan, Diverter, Repair } from '../diverter.js';
import type { NftRunner } from './nft-runner.js';
import type { RuleLifetime } from './ruleset.js';
import type { TableWatch } from './table-watch.js';

/** The two ways to the kernel. A test gives its own and sees every script. */
export interface NftRunners {
  /** Makes tables that stay. */
  readonly command: NftRunner;
  /** Makes tables that die with this process; `undefined` where that is not to be had. Called late. */
  readonly library: () => NftRunner | undefined;
  /** Notices what others do to our tables. Called late; absent: nobody looks. */
  readonly watch?: () => TableWatch;
}

/** How long rules that another program removed are missing at most, and one look more. */
const LOOK_MS = 1000;

const thisKernel: NftRunners = {
  command: nftCommand(),
  library: nftLibrary,
  watch: () => watchTables(Object.values(tableNames)),
};

/**
 * The redirect dies with this process, even at kill -9, and nobody else can flush it; for `onFailure: 'closed'` what refuses
 * such connections instead stays until `clear`. Where the kernel or the library has no such tables the redirect stays too.
 * A plan that differs from the last one in its servers alone changes set elements and nothing else.
 * Calls are carried out one after the other. While a plan is in force, what another program removes is put back within seconds.
 */
export class NftablesDiverter implements Diverter {
  readonly name = 'nftables';
  readonly #runners: NftRunners;
  #library: NftRunner | undefined;
  /** The plan in force, as far as we know; undefined means "bring it about whole". */
  #plan: DivertPlan | undefined;
  /** The last plan that was asked for whole. */
  #last: DivertPlan | undefined;
  /** The kind of table that may be there by our doing. */
  #lifetime: RuleLifetime = 'persistent';
  readonly #calls = new CallQueue();
  #watch: TableWatch | undefined;
  #looking: NodeJS.Timeout | undefined;
  #onRepair: (repair: Repair) => void = () => undefined;

  constructor(runners: NftRunners = thisKernel) {
    this.#runners = runners;
  }

  onRepair(listener: (repair: Repair) => void): void {
    this.#onRepair = listener;
  }

  apply(plan: DivertPlan): Promise<void> {
    return this.#calls.run(() => this.#apply(plan));
  }

  drain(): Promise<void> {
    return this.#calls.run(() => this.#holdOnly('open'));
  }

  handOver(): Promise<void> {
    return this.#calls.run(() => this.#holdOnly('closed'));
  }

  clear(): Promise<void> {
    return this.#calls.run(() => this.#clear());
  }

  async #apply(plan: DivertPlan): Promise<void> {
    if (await this.#changeServers(plan)) return;
    this.#plan = undefined;
    this.#last = plan;
    const then = await this.#prepare(plan);
    await this.#runner().run(formatRuleset(plan, this.#lifetime));
    if (then !== '') await this.#runners.command.run(then);
    this.#plan = plan;
    this.#startLooking();
  }

  #startLooking(): void {
    if (this.#watch !== undefined || this.#runners.watch === undefined) return;
    try {
      this.#watch = this.#runners.watch();
    } catch (error) {
      this.#onRepair({ kind: 'failed', fault: Fault.from(error, 'redirect') });
      return;
    }
    // In line with the other calls: what one of them does in between is no damage.
    this.#looking = setInterval(() => void this.#calls.run(() => this.#repair()), LOOK_MS).unref();
  }

  /** An owned table can't be changed by others; the hold table, and a persistent one, can. */
  async #repair(): Promise<void> {
    const plan = this.#plan;
    const seen = this.#watch?.look();
    if (plan === undefined || seen === undefined) return;
    const isPersistent = this.#lifetime === 'persistent';
    const due = isPersistent ? Object.values(tableNames) : [tableNames.hold];
    if (due.every((name) => (seen.states.get(name) ?? 'whole') === 'whole')) return;
    try {
      await this.#runners.command.run(
        formatHold(plan) + (isPersistent ? formatRuleset(plan, 'persistent') : ''),
      );
      this.#onRepair({ kind: 'repaired', by: seen.by });
    } catch (error) {
      this.#onRepair({ kind: 'failed', fault: Fault.from(error, 'redirect') });
    }
  }

  /** True if that was all there was to do. False also if the table is not as we left it: somebody flushed all rules. */
  async #changeServers(plan: DivertPlan): Promise<boolean> {
    if (this.#plan === undefined || !differInServersOnly(this.#plan, plan)) return false;
    const script = formatServerChange(this.#plan.servers, plan.servers);
    try {
      if (script !== '') await this.#runner().run(script);
    } catch {
      return false;
    }
    this.#plan = plan;
    return true;
  }

  // A table can't change its lifetime in place, so one that a crash has left goes first. There is no moment in which such connections
  // go their own way: for `closed` a table of its own refuses them while the one that refuses is replaced, for `open` what a predecessor
  // left to refuse them stays; either is lifted once the redirect stands, by the script returned. Not in one transaction: a packet
  // that is on its way through the hooks has passed where the redirect would be, and finds the refusal gone (seen: a password in clear
  // at an upgrade).
  async #prepare(plan: DivertPlan): Promise<string> {
    if (this.#lifetime === 'owned') return '';
    const { command } = this.#runners;
    const hold = formatHold(plan);
    if (plan.onFailure === 'closed') {
      await command.run(formatTakeover(plan));
      await command.run(hold + formatRemoval('persistent'));
    } else {
      await command.run(formatRemoval('persistent'));
    }
    this.#library ??= this.#runners.library();
    if (await canOwn(this.#library)) this.#lifetime = 'owned';
    return (plan.onFailure === 'open' ? hold : '') + formatTakeoverRemoval();
  }

  /** `open` lets what should be redirected go its own way, `closed` refuses it. */
  async #holdOnly(onFailure: DivertPlan['onFailure']): Promise<void> {
    this.#plan = undefined;
    const { command } = this.#runners;
    const hold = formatHold(this.#last === undefined ? undefined : { ...this.#last, onFailure });
    if (this.#lifetime === 'persistent') {
      await command.run(hold + formatRemoval('persistent'));
      return;
    }
    await command.run(hold);
    await this.#runner().run(formatRemoval('owned'));
    this.#lifetime = 'persistent';
  }

  async #clear(): Promise<void> {
    this.#plan = undefined;
    clearInterval(this.#looking);
    this.#watch?.close();
    this.#watch = undefined;
    if (this.#lifetime === 'owned') await this.#runner().run(formatRemoval('owned'));
    this.#lifetime = 'persistent';
    await this.#runner().run(formatRemoval('persistent') + formatHoldRemoval());
  }

  #runner(): NftRunner {
    return this.#lifetime === 'owned' && this.#library !== undefined ? this.#library : this.#runners.command;
  }
}

/** What `plan` would redirect is refused from now on, until a daemon's `apply` or `clear`. Nothing of a daemon that runs is touched but this. */
export async function refuseUntilApplied(plan: DivertPlan, command: NftRunner = nftCommand()): Promise<void> {
  await command.run(formatHold({ ...plan, onFailure: 'closed' }));
}

/** Kernels before 5.12 know no owned tables; with those a crash is cleaned up at the next start. */
async function canOwn(library: NftRunner | undefined): Promise<boolean> {
  try {
    await library?.run(formatRemoval('owned'));
    return library !== undefined;
  } catch {
    return false;
  }
}

function differInServersOnly(a: DivertPlan, b: DivertPlan): boolean {
  return isDeepStrictEqual({ ...a, servers: [] }, { ...b, servers: [] });
}
