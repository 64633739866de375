// A menu for hosts that can't add or remove entries: a fixed number of slots, of which some are hidden.
import type { MenuEntry, TrayAction } from '../model/tray-view.js';

/** Enough for the longest menu that the model makes, without its separators. */
export const slotCount = 18;

export interface Slot {
  readonly title: string;
  readonly hidden: boolean;
  readonly enabled: boolean;
  readonly checked: boolean;
  readonly action: TrayAction | undefined;
}

const empty: Slot = { title: '', hidden: true, enabled: true, checked: false, action: undefined };

/** Always `slotCount` slots. Check marks are written into the text where the host has none of its own (Linux). */
export function slotsOf(menu: readonly MenuEntry[], platform: NodeJS.Platform): readonly Slot[] {
  const slots = menu.flatMap((entry) => (entry.kind === 'separator' ? [] : [slotOf(entry, platform)]));
  return Array.from({ length: slotCount }, (_, index) => slots[index] ?? empty);
}

function slotOf(entry: Exclude<MenuEntry, { readonly kind: 'separator' }>, platform: NodeJS.Platform): Slot {
  const shown = { hidden: false, enabled: true, checked: false };
  switch (entry.kind) {
    case 'line':
      return { ...shown, title: entry.text, enabled: false, action: undefined };
    case 'check': {
      const mark = platform === 'linux' && entry.checked ? '✓ ' : '';
      return { ...shown, title: `${mark}${entry.text}`, checked: entry.checked, action: entry.action };
    }
    case 'action':
      return { ...shown, title: `${markText(entry.mark)}${entry.text}`, action: entry.action };
  }
}

function markText(mark: 'locked' | 'open' | undefined): string {
  if (mark === undefined) return '';
  return mark === 'locked' ? '🔒 ' : '🔓 ';
}
