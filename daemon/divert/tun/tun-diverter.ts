// The packet engine of Windows as a redirect layer of Linux, so that it is proven on a real TCP stack: `divert.layer = "tun"`,
// for tests. When this process dies, what would be intercepted is unreachable until the next start or `ftpseal cleanup`.
import { CallQueue } from '../call-queue.js';
import { nftCommand } from '../linux/nft-command.js';
import { connectDevice, disconnectDevice } from './machine.js';
import { openTunLoop, type TunLoop } from './tun-loop.js';
import { formatTunRules } from './tun-rules.js';
import type { Fault } from '../../../shared/fault.js';
import type { AcceptedEnds, ConnectionOrigin, DivertPlan, Diverter } from '../diverter.js';

/** Calls are carried out one after the other. */
export class TunDiverter implements Diverter {
  readonly name = 'tun';
  #loop: TunLoop | undefined;
  #onFailure: (fault: Fault) => void = () => undefined;
  readonly #calls = new CallQueue();

  apply(plan: DivertPlan): Promise<void> {
    return this.#calls.run(() => this.#apply(plan));
  }

  drain(): Promise<void> {
    return this.#calls.run(() => {
      this.#loop?.host.tell({ kind: 'drain' });
      return Promise.resolve();
    });
  }

  clear(): Promise<void> {
    return this.#calls.run(() => this.#clear());
  }

  originOf(ends: AcceptedEnds): ConnectionOrigin | undefined {
    return this.#loop?.host.originOf(ends);
  }

  onFailure(listener: (fault: Fault) => void): void {
    this.#onFailure = listener;
  }

  async #apply(plan: DivertPlan): Promise<void> {
    const hasFailed = this.#loop?.host.isOver === true;
    if (hasFailed) await this.#clear();
    const loop = this.#loop ?? (await this.#start());
    if (hasFailed) loop.host.tell({ kind: 'refuseUnknown' });
    // The engine first: a packet that the rules send there finds the plan in force.
    loop.host.follow(plan);
    await nftCommand().run(formatTunRules(plan));
  }

  async #start(): Promise<TunLoop> {
    // What a crash has left would point to a device that is gone.
    await disconnectDevice();
    const loop = openTunLoop((fault) => {
      this.#onFailure(fault);
    });
    try {
      await connectDevice(loop.device);
    } catch (error) {
      await loop.host.stop();
      await disconnectDevice();
      throw error;
    }
    this.#loop = loop;
    return loop;
  }

  // The loop ends first: it carries out what the proxy's last packets still wait for.
  async #clear(): Promise<void> {
    const loop = this.#loop;
    this.#loop = undefined;
    await loop?.host.stop();
    await disconnectDevice();
  }
}
