// Takes connections that the redirect layer sent here, finds out where they were going and whose they are.
import type { Socket } from 'node:net';
import type { Connection } from '../../shared/trust.js';
import { clientRuleFor } from '../client-rule.js';
import type { Config } from '../config.js';
import type { ClientDataPorts } from '../relay/client-data-ports.js';
import type { AcceptedOrigin } from '../relay/virtual-data-ports.js';
import type { RedirectView } from './redirect-view.js';
import { hangUp, type SessionPool } from './session-pool.js';

export interface RedirectFrontOptions {
  readonly pool: SessionPool;
  readonly dataPorts: ClientDataPorts;
  readonly view: RedirectView;
  readonly config: Config;
}

/** A connection made to the proxy's port directly has no original destination and is refused. */
export class RedirectFront {
  readonly #options: RedirectFrontOptions;

  constructor(options: RedirectFrontOptions) {
    this.#options = options;
  }

  readonly accept = (client: Socket): void => {
    void this.#accept(client);
  };

  async #accept(client: Socket): Promise<void> {
    const { pool, dataPorts, view } = this.#options;
    const onError = (): void => {
      client.destroy();
    };
    client.on('error', onError);
    const arriving = view.arriving(client);
    const dialled = arriving.server === undefined ? undefined : pool.dialAhead(arriving.server);
    // Node connects in the next tick: the server shall be on its way to a greeting while the kernel is asked whose the client is.
    if (dialled !== undefined) await nextTick();
    const origin = await arriving.origin().catch(() => undefined);
    client.off('error', onError);
    if (origin === undefined || client.destroyed || !this.#isServed(origin)) {
      client.destroy();
      hangUp(dialled);
      return;
    }
    void pool.start({
      client,
      connection: connectionOf(origin),
      dataPorts,
      greeting: 'forward',
      // A server that sees the control connection come from here takes no data connection of another address.
      dataPath: origin.forwarded ? 'proxied' : 'direct',
      early: Buffer.alloc(0),
      dialled,
    });
  }

  /** The kernel's rules have judged a device already; this is for the day when somebody else's rules lead here. */
  #isServed({ client, forwarded }: AcceptedOrigin): boolean {
    const { config } = this.#options;
    return (
      !forwarded || (config.divert.forwarded && clientRuleFor(config, client.address)?.mode === 'secure')
    );
  }
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

function connectionOf({ client, server, uid, forwarded }: AcceptedOrigin): Connection {
  return {
    client,
    server,
    ...(uid === undefined ? {} : { uid }),
    ...(forwarded ? { forwarded } : {}),
  };
}
