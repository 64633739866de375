// Numbers for menu entries that stay the same while the entry stays: a click that was meant for an entry that has just gone must
// not hit the one that took its place.
import type { MenuEntry, TrayAction } from '../model/tray-view.js';

export interface NumberedEntry {
  readonly id: number;
  readonly entry: MenuEntry;
}

/** What a new menu brought. */
export interface MenuChange {
  /** Entries came, went or moved. */
  readonly layout: boolean;
  /** Entries that stayed and look different now. */
  readonly changed: readonly NumberedEntry[];
}

export class MenuIds {
  #entries: readonly NumberedEntry[] = [];
  #keys = new Map<string, number>();
  #last = 0;

  /** The current menu. */
  get entries(): readonly NumberedEntry[] {
    return this.#entries;
  }

  /** Takes the next menu. */
  take(menu: readonly MenuEntry[]): MenuChange {
    const before = this.#entries;
    const keys = new Map<string, number>();
    this.#entries = menu.map((entry) => {
      const key = freeKey(keyOf(entry), keys);
      const id = this.#keys.get(key) ?? (this.#last += 1);
      keys.set(key, id);
      return { id, entry };
    });
    this.#keys = keys;
    const old = new Map(before.map(({ id, entry }) => [id, JSON.stringify(entry)]));
    return {
      layout: this.#entries.map(({ id }) => id).join() !== before.map(({ id }) => id).join(),
      changed: this.#entries.filter(({ id, entry }) => old.has(id) && old.get(id) !== JSON.stringify(entry)),
    };
  }

  /** What a click on the entry of this number asks for; undefined for lines, separators and entries that have gone. */
  actionOf(id: number): TrayAction | undefined {
    const entry = this.#entries.find((one) => one.id === id)?.entry;
    return entry?.kind === 'action' || entry?.kind === 'check' ? entry.action : undefined;
  }
}

/** Server lines share one action, so their text tells them apart. */
function keyOf(entry: MenuEntry): string {
  if (entry.kind === 'separator' || entry.kind === 'line') return entry.kind;
  const { action } = entry;
  return JSON.stringify(action.kind === 'showServers' ? [action, entry.text] : action);
}

/** The first, second, … of its kind. */
function freeKey(key: string, taken: ReadonlyMap<string, number>): string {
  for (let count = 1; ; count++) {
    const numbered = `${key} ${count}`;
    if (!taken.has(numbered)) return numbered;
  }
}
