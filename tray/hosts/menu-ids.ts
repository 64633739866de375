// Numbers for menu entries that stay the same while the entry stays: a click that was meant for an entry that has just gone must
// not hit the one that took its place.
import type { MenuEntry, TrayAction } from '../model/tray-view.js';

export interface NumberedEntry {
  readonly id: number;
  readonly entry: MenuEntry;
}

export class MenuIds {
  #entries: readonly NumberedEntry[] = [];
  #last = 0;

  /** The current menu. */
  get entries(): readonly NumberedEntry[] {
    return this.#entries;
  }

  /** Takes the next menu; false where nothing of it is new. */
  take(menu: readonly MenuEntry[]): boolean {
    const before = new Map(this.#entries.map(({ id, entry }) => [keyOf(entry), id]));
    const text = JSON.stringify(this.#entries.map(({ entry }) => entry));
    this.#entries = menu.map((entry, index) => {
      const key = keyOf(entry) || `${index}`;
      const id = before.get(key);
      before.delete(key);
      return { id: id ?? (this.#last += 1), entry };
    });
    return text !== JSON.stringify(menu);
  }

  /** What a click on the entry of this number asks for; undefined for lines, separators and entries that have gone. */
  actionOf(id: number): TrayAction | undefined {
    const entry = this.#entries.find((one) => one.id === id)?.entry;
    return entry?.kind === 'action' || entry?.kind === 'check' ? entry.action : undefined;
  }
}

/** Empty for entries that can't be clicked. Server lines share one action, so their text tells them apart. */
function keyOf(entry: MenuEntry): string {
  if (entry.kind !== 'action' && entry.kind !== 'check') return '';
  const { action } = entry;
  return JSON.stringify(action.kind === 'showServers' ? [action, entry.text] : action);
}
