// The whole of the tray out of the state: a pure function, so that every look and every menu is a test.
import type { AgentState } from '../agent-state.js';
import { cleanText } from './outside-text.js';
import { questionLine } from './question-text.js';
import type { RecentServer } from './recent-servers.js';
import { standingOf } from './state-line.js';
import type { MenuEntry, TrayView } from './tray-view.js';

/** What the tray knows beside the daemon's state. */
export interface Surroundings {
  readonly recent: readonly RecentServer[];
  /** Whether the tray starts at login; undefined where that can't be set. */
  readonly autostart: boolean | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

/** More don't fit a menu; the manager shows the rest. */
const questionsShown = 6;
const maxWarning = 200;

const separator: MenuEntry = { kind: 'separator' };

export function viewOf(state: AgentState, surroundings: Surroundings): TrayView {
  const standing = standingOf(state, surroundings.now);
  const warnings = (state.status?.warnings ?? []).map((warning) => cleanText(warning, maxWarning));
  const details = [...new Set([...standing.details, ...warnings])];
  return {
    icon: standing.icon,
    title: standing.line,
    tooltip: [standing.line, ...details].join('\n'),
    menu: [
      { kind: 'line', text: standing.line },
      ...questionEntries(state),
      ...serverEntries(surroundings.recent),
      separator,
      { kind: 'action', text: 'Open manager…', action: { kind: 'showManager' } },
      ...pauseEntries(state, surroundings.now),
      ...autostartEntries(surroundings.autostart),
      separator,
      { kind: 'action', text: 'Quit', action: { kind: 'quit' } },
    ],
  };
}

function questionEntries({ questions }: AgentState): readonly MenuEntry[] {
  if (questions.length === 0) return [];
  // Those that somebody waits for are urgent, the oldest first.
  const urgency = [...questions].sort(
    (a, b) => Number(b.waiting > 0) - Number(a.waiting > 0) || a.openedAt - b.openedAt,
  );
  const more = urgency.length - questionsShown;
  return [
    separator,
    ...urgency.slice(0, questionsShown).map((question): MenuEntry => {
      return {
        kind: 'action',
        text: questionLine(question),
        action: { kind: 'showQuestion', id: question.id },
      };
    }),
    ...(more > 0
      ? [{ kind: 'action', text: `${more} more…`, action: { kind: 'showManager' } } as const]
      : []),
  ];
}

function serverEntries(recent: readonly RecentServer[]): readonly MenuEntry[] {
  if (recent.length === 0) return [];
  return [
    separator,
    ...recent.map(({ label, encrypted }): MenuEntry => {
      return {
        kind: 'action',
        text: `${label}: ${encrypted ? 'encrypted' : 'not encrypted'}`,
        action: { kind: 'showServers' },
        mark: encrypted ? 'locked' : 'open',
      };
    }),
  ];
}

/** There is something to pause only where the redirect works for everybody without being asked. */
function pauseEntries({ status }: AgentState, now: number): readonly MenuEntry[] {
  if (status?.mode !== 'redirect') return [];
  if (status.pausedUntil !== undefined && status.pausedUntil > now) {
    return [{ kind: 'action', text: 'Resume: encrypt again', action: { kind: 'resume' } }];
  }
  const text = 'Pause for 15 minutes (FTP not encrypted)';
  return [{ kind: 'action', text, action: { kind: 'pause' } }];
}

function autostartEntries(autostart: boolean | undefined): readonly MenuEntry[] {
  if (autostart === undefined) return [];
  const action = { kind: 'toggleAutostart' } as const;
  return [{ kind: 'check', text: 'Start at login', checked: autostart, action }];
}
