// The packet engine of Windows as a redirect layer of Linux, so that it is proven on a real TCP stack: `divert.layer = "tun"`,
// for tests. When this process dies, what would be intercepted is unreachable until the next start or `ftpseal cleanup`.
import { nftCommand } from '../linux/nft-command.js';
import { LoopHost } from './loop-host.js';
import { connectDevice, disconnectDevice } from './machine.js';
import { formatTunRules } from './tun-rules.js';
import type { AcceptedEnds, ConnectionOrigin, DivertPlan, Diverter } from '../diverter.js';

/** Calls are carried out one after the other. */
export class TunDiverter implements Diverter {
  readonly name = 'tun';
  #loop: LoopHost | undefined;
  #queue: Promise<void> = Promise.resolve();

  apply(plan: DivertPlan): Promise<void> {
    return this.#enqueue(() => this.#apply(plan));
  }

  drain(): Promise<void> {
    return this.#enqueue(() => {
      this.#loop?.tell({ kind: 'drain' });
      return Promise.resolve();
    });
  }

  clear(): Promise<void> {
    return this.#enqueue(() => this.#clear());
  }

  originOf(ends: AcceptedEnds): ConnectionOrigin | undefined {
    return this.#loop?.originOf(ends);
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #apply(plan: DivertPlan): Promise<void> {
    this.#loop?.requireAlive();
    const loop = this.#loop ?? (await this.#start());
    // The engine first: a packet that the rules send there finds the plan in force.
    loop.tell({ kind: 'plan', plan: engineSide(plan) });
    await nftCommand().run(formatTunRules(plan));
  }

  async #start(): Promise<LoopHost> {
    // What a crash has left would point to a device that is gone.
    await disconnectDevice();
    const loop = new LoopHost();
    try {
      await connectDevice(loop.device);
    } catch (error) {
      await loop.stop();
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
    await loop?.stop();
    await disconnectDevice();
  }
}

function engineSide(plan: DivertPlan): Omit<DivertPlan, 'onFailure'> {
  const { ports, proxyUid, workers, exemptUids, exemptNets, servers } = plan;
  return { ports, proxyUid, workers, exemptUids, exemptNets, servers };
}
