// Takes connections that the redirect layer sent here, finds out where they were going and whose they are.
import type { Socket } from 'node:net';
import type { ClientDataPorts } from '../relay/client-data-ports.js';
import type { RedirectView } from './redirect-view.js';
import type { SessionPool } from './session-pool.js';

/** A connection made to the proxy's port directly has no original destination and is refused. */
export class RedirectFront {
  readonly #pool: SessionPool;
  readonly #dataPorts: ClientDataPorts;
  readonly #view: RedirectView;

  constructor(pool: SessionPool, dataPorts: ClientDataPorts, view: RedirectView) {
    this.#pool = pool;
    this.#dataPorts = dataPorts;
    this.#view = view;
  }

  readonly accept = (client: Socket): void => {
    void this.#accept(client);
  };

  async #accept(client: Socket): Promise<void> {
    const onError = (): void => {
      client.destroy();
    };
    client.on('error', onError);
    const origin = await this.#view.originOf(client).catch(() => undefined);
    client.off('error', onError);
    if (origin === undefined || client.destroyed) {
      client.destroy();
      return;
    }
    const { uid, ...ends } = origin;
    void this.#pool.start({
      client,
      connection: { ...ends, ...(uid === undefined ? {} : { uid }) },
      dataPorts: this.#dataPorts,
      greeting: 'forward',
      dataPath: 'direct',
      early: Buffer.alloc(0),
      dialled: undefined,
    });
  }
}
