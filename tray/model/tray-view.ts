// What the tray shows and what its menu can do, as plain data. The hosts (tray/hosts) draw it and decide nothing.

/** The five looks of the icon; `count` is the number of open questions. */
export type IconState =
  | { readonly kind: 'idle' | 'securing' | 'cleartext' | 'trouble' }
  | { readonly kind: 'question'; readonly count: number };

/** What a click in the menu asks for; the agent (tray/agent.ts) does it. */
export type TrayAction =
  | { readonly kind: 'showQuestion'; readonly id: string }
  | { readonly kind: 'showServers' }
  | { readonly kind: 'showManager' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'toggleAutostart' }
  | { readonly kind: 'quit' };

export type MenuEntry =
  | { readonly kind: 'separator' }
  /** Says something and can't be clicked. */
  | { readonly kind: 'line'; readonly text: string }
  | {
      readonly kind: 'action';
      readonly text: string;
      readonly action: TrayAction;
      /** A small picture in front of the text. */
      readonly mark?: 'locked' | 'open';
    }
  | {
      readonly kind: 'check';
      readonly text: string;
      readonly checked: boolean;
      readonly action: TrayAction;
    };

/** Everything a tray host shows; replaced whole at each change. All text is printable and short. */
export interface TrayView {
  readonly icon: IconState;
  /** The line of state, also the first line of the menu. */
  readonly title: string;
  /** The state in words; several lines. */
  readonly tooltip: string;
  readonly menu: readonly MenuEntry[];
}
