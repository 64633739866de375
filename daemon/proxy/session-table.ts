// Every session of every worker as it stands, for `status`, `sessions` and the redirect layer's list of servers.
import type { IpAddress } from '../../shared/endpoint.js';
import type { SessionState } from '../pool/messages.js';

export type SessionChange =
  | { readonly kind: 'changed'; readonly state: SessionState }
  | { readonly kind: 'ended'; readonly state: SessionState; readonly reason: string };

interface Row {
  readonly worker: number;
  readonly state: SessionState;
}

export class SessionTable {
  readonly #rows = new Map<string, Row>();
  readonly #listeners = new Set<(change: SessionChange) => void>();

  /** Takes a session's new state. An id that another worker uses is not this worker's to change: returns false. */
  put(worker: number, state: SessionState): boolean {
    const old = this.#rows.get(state.id);
    if (old !== undefined && old.worker !== worker) return false;
    this.#rows.set(state.id, { worker, state });
    this.#emit({ kind: 'changed', state });
    return true;
  }

  end(worker: number, id: string, reason: string): SessionState | undefined {
    const row = this.#rows.get(id);
    if (row?.worker !== worker) return undefined;
    this.#rows.delete(id);
    this.#emit({ kind: 'ended', state: row.state, reason });
    return row.state;
  }

  /** Ends all sessions of a worker that died; returns how many there were. */
  endAll(worker: number, reason: string): number {
    const ids = [...this.#rows].filter(([, row]) => row.worker === worker).map(([id]) => id);
    for (const id of ids) this.end(worker, id, reason);
    return ids.length;
  }

  find(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  list(): readonly SessionState[] {
    return [...this.#rows.values()].map((row) => row.state);
  }

  countOf(worker: number): number {
    return [...this.#rows.values()].filter((row) => row.worker === worker).length;
  }

  /** Resolves when the table is empty, or after that time. */
  empty(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(tooLate);
        unsubscribe();
        resolve();
      };
      const tooLate = setTimeout(done, withinMs).unref();
      const unsubscribe = this.subscribe(() => {
        if (this.#rows.size === 0) done();
      });
      if (this.#rows.size === 0) done();
    });
  }

  /** How many sessions devices have that this machine routes for: the one at this address, and all. */
  ofDevices(client: IpAddress): { readonly own: number; readonly all: number } {
    const rows = [...this.#rows.values()].filter(({ state }) => state.connection.forwarded === true);
    const own = rows.filter(({ state }) => state.connection.client.address === client);
    return { own: own.length, all: rows.length };
  }

  /** The servers that have a session now. */
  addresses(): ReadonlySet<IpAddress> {
    return new Set([...this.#rows.values()].map((row) => row.state.connection.server.address));
  }

  /** Calls back on every change; returns the function that ends it. */
  subscribe(listener: (change: SessionChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #emit(change: SessionChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
