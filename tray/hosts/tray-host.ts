// What shows the tray's view to the person: one interface, one implementation for each kind of desktop.
import type { TrayAction, TrayView } from '../model/tray-view.js';

/** Whether the icon can be seen; `hidden` says why and what to do instead. */
export type Presence = { readonly kind: 'shown' } | { readonly kind: 'hidden'; readonly sentence: string };

export interface TrayHostListener {
  /** A click in the menu. Only actions of the view that is shown, or of the one before it, come. */
  onAction(action: TrayAction): void;
  /** After every change, and once soon after the start. */
  onPresence(presence: Presence): void;
  /** The host can show nothing any more; the caller closes it and may open another. */
  onLost(sentence: string): void;
}

/** Shows the newest view until it is closed. */
export interface TrayHost {
  /** Of the program that holds the icon, where that is one of its own. */
  readonly helperPid?: number | undefined;
  show(view: TrayView): void;
  close(): Promise<void>;
}
