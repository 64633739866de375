// The main thread's copy of what the engine knows: where each connection was going before its reflection. As large as the
// engine's own table, because every row there is announced and every removal too.
import type { AcceptedEnds } from '../diverter.js';
import type { FromLoop } from './loop-messages.js';

type Opened = Extract<FromLoop, { readonly kind: 'opened' }>;

export class OriginTable {
  readonly #byEnds = new Map<string, Opened>();
  readonly #byId = new Map<number, string>();

  get size(): number {
    return this.#byEnds.size;
  }

  note(message: FromLoop): void {
    if (message.kind === 'opened') this.#open(message);
    else this.#close(message.id);
  }

  find({ peer, local }: AcceptedEnds): Opened | undefined {
    return this.#byEnds.get(keyOf(peer.address, peer.port, local.address, local.port));
  }

  #open(opened: Opened): void {
    const { client, server, aliasPort, proxyPort } = opened;
    const key = keyOf(server.address, aliasPort, client.address, proxyPort);
    const before = this.#byEnds.get(key);
    if (before !== undefined) this.#byId.delete(before.id);
    this.#byEnds.set(key, opened);
    this.#byId.set(opened.id, key);
  }

  #close(id: number): void {
    const key = this.#byId.get(id);
    if (key === undefined) return;
    this.#byId.delete(id);
    this.#byEnds.delete(key);
  }
}

function keyOf(peer: string, peerPort: number, local: string, localPort: number): string {
  return `${peer} ${peerPort} ${local} ${localPort}`;
}
