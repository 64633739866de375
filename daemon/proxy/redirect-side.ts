// The redirect layer as the proxy reaches it, and whether it sends connections here now.
import type { Socket } from 'node:net';
import { Fault } from '../../shared/fault.js';
import type { Status } from '../../shared/ipc-messages.js';
import type { Port } from '../../shared/endpoint.js';
import type { Connection } from '../../shared/trust.js';
import type { AcceptedEnds, ConnectionOrigin } from '../divert/diverter.js';
import type { ReadyPorts } from '../pool/worker-pool.js';
import type { Log } from '../sys/log.js';
import type { ServerRegistry } from './server-registry.js';
import type { SessionTable } from './session-table.js';

/** Absent in the explicit proxy. */
export interface RedirectSide {
  readonly registry: (inUse: () => ReturnType<SessionTable['addresses']>) => ServerRegistry;
  /** Installs the redirect to these ports, in the order of the workers. */
  readonly workersReady: (ports: readonly ReadyPorts[]) => Promise<void>;
  /** Whether the proxy ends where the redirect can't be made, or stays and tries again. */
  readonly withoutIt: 'end' | 'stay';
  /** What a person should know about the rules. */
  readonly troubles: () => readonly string[];
  readonly programOf: (connection: Connection) => Promise<string | undefined>;
  /** What an accepted connection was before the redirect, where the kernel can't tell. */
  readonly originOf: (ends: AcceptedEnds) => Promise<ConnectionOrigin | undefined>;
  /** A connection to what reports the look-ups of this machine's programs. Rejects with a Fault where there is nothing of the kind. */
  readonly openLookups: () => Promise<Socket>;
}

export interface RedirectStateOptions {
  readonly side: Pick<RedirectSide, 'workersReady' | 'withoutIt'>;
  readonly log: Pick<Log, 'error'>;
  /** Those of all workers; undefined while one of them is away. */
  readonly ports: () => readonly ReadyPorts[] | undefined;
}

/** Keeps the redirect leading to where the workers listen. */
export class RedirectState {
  readonly #options: RedirectStateOptions;
  #fault: string | undefined;
  #stands = false;

  constructor(options: RedirectStateOptions) {
    this.#options = options;
  }

  /** The first time, or once more after it could not be made. Rejects only where the proxy ends without it. */
  async make(): Promise<void> {
    const { side, log, ports } = this.#options;
    const found = this.#stands ? undefined : ports();
    if (found === undefined) return;
    try {
      await side.workersReady(found);
      this.#stands = true;
      this.#fault = undefined;
    } catch (error) {
      if (side.withoutIt === 'end') throw error;
      const sentence = Fault.from(error).userMessage;
      if (sentence !== this.#fault) log.error('connections are not redirected', { sentence });
      this.#fault = sentence;
    }
  }

  /** A replacement may listen on other ports. While another worker is away the list is not whole: its replacement sends it. */
  async renew(): Promise<void> {
    const { side, log, ports } = this.#options;
    const found = this.#stands ? ports() : undefined;
    if (found === undefined) return;
    try {
      await side.workersReady(found);
      this.#fault = undefined;
    } catch (error) {
      this.#fault = Fault.from(error).userMessage;
      log.error('the redirect could not be renewed', { sentence: this.#fault });
    }
  }

  /** For `status`; `intercepted` are the configured ports. */
  view(intercepted: readonly Port[]): Status['redirect'] {
    if (this.#fault !== undefined) return { kind: 'failed', sentence: this.#fault };
    return this.#stands ? { kind: 'active', ports: [...intercepted] } : { kind: 'starting' };
  }
}
