// The redirect layer of Linux: keeps the table `inet ftpseal` equal to the plan.
import { isDeepStrictEqual } from 'node:util';
import { CallQueue } from '../call-queue.js';
import { nftCommand } from './nft-command.js';
import { nftLibrary } from './nft-library.js';
import {
  formatHold,
  formatHoldRemoval,
  formatRemoval,
  formatRuleset,
  formatServerChange,
} from './ruleset.js';
import type { DivertPlan, Diverter } from '../diverter.js';
import type { NftRunner } from './nft-runner.js';
import type { RuleLifetime } from './ruleset.js';

/** The two ways to the kernel. A test gives its own and sees every script. */
export interface NftRunners {
  /** Makes tables that stay. */
  readonly command: NftRunner;
  /** Makes tables that die with this process; `undefined` where that is not to be had. Called late. */
  readonly library: () => NftRunner | undefined;
}

/**
 * The redirect dies with this process, even at kill -9, and nobody else can flush it; for `onFailure: 'closed'` what refuses
 * such connections instead stays until `clear`. Where the kernel or the library has no such tables the redirect stays too.
 * A plan that differs from the last one in its servers alone changes set elements and nothing else.
 * Calls are carried out one after the other.
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

  constructor(runners: NftRunners = { command: nftCommand(), library: nftLibrary }) {
    this.#runners = runners;
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
    const first = await this.#prepare(plan);
    await this.#runner().run(first + formatRuleset(plan, this.#lifetime));
    this.#plan = plan;
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

  // A table can't change its lifetime in place, so one that a crash has left goes first. For `closed` what refuses comes in the
  // same transaction: there is no moment in which such connections go their own way. For `open` what a predecessor left to refuse
  // them is lifted with the redirect and not before: that is the script returned.
  async #prepare(plan: DivertPlan): Promise<string> {
    if (this.#lifetime === 'owned') return '';
    const hold = formatHold(plan);
    const isOpen = plan.onFailure === 'open';
    await this.#runners.command.run((isOpen ? '' : hold) + formatRemoval('persistent'));
    this.#library ??= this.#runners.library();
    if (await canOwn(this.#library)) this.#lifetime = 'owned';
    return isOpen ? hold : '';
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
    if (this.#lifetime === 'owned') await this.#runner().run(formatRemoval('owned'));
    this.#lifetime = 'persistent';
    await this.#runner().run(formatRemoval('persistent') + formatHoldRemoval());
  }

  #runner(): NftRunner {
    return this.#lifetime === 'owned' && this.#library !== undefined ? this.#library : this.#runners.command;
  }
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
