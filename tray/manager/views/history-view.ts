// The page "History": what happened, newest first.
import type { HistoryEvent } from '../../../shared/ipc-messages.js';
import { displayText } from '../display-text.js';
import type { HistoryRow, HistoryView, Tone } from '../wire.js';

export function historyView(events: readonly HistoryEvent[]): HistoryView {
  return { kind: 'history', rows: events.map(historyRow) };
}

const looks: Readonly<Record<HistoryEvent['kind'], { readonly title: string; readonly tone: Tone }>> = {
  secured: { title: 'Encrypted', tone: 'good' },
  cleartext: { title: 'Not encrypted', tone: 'warn' },
  asked: { title: 'Asked', tone: 'calm' },
  answered: { title: 'Answered', tone: 'calm' },
  refused: { title: 'Refused', tone: 'bad' },
  cut: { title: 'Cut off', tone: 'bad' },
  keys: { title: 'Keys', tone: 'calm' },
};

function historyRow({ at, kind, server, program, text, fingerprint }: HistoryEvent): HistoryRow {
  return {
    at,
    kind,
    ...looks[kind],
    server: displayText(server, 200),
    program: displayText(program ?? '', 64),
    text: displayText(text, 600),
    fingerprint: displayText(fingerprint ?? '', 64),
  };
}

const columns = ['time', 'event', 'server', 'program', 'text', 'key'] as const;

/** For spreadsheets. A cell that one would take for a formula is made text: names come from outside. */
export function historyCsv(rows: readonly HistoryRow[]): string {
  const lines = rows.map(({ at, title, server, program, text, fingerprint }) =>
    [new Date(at).toISOString(), title, server, program, text, fingerprint].map(cell).join(','),
  );
  return [columns.join(','), ...lines, ''].join('\r\n');
}

function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
