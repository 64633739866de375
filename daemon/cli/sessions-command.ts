// `ftpseal sessions`: what runs now, once or refreshed.
import type { SessionEvent, SessionView } from '../../shared/ipc-messages.js';
import type { SessionState } from '../pool/messages.js';
import { serverLabel } from '../trust/sentences.js';
import {
  formatBytes,
  formatSpan,
  formatTable,
  print,
  printJson,
  show,
  type Column,
  type JsonOption,
} from './output.js';
import { connectDaemon, type DirOptions } from './paths.js';

export interface SessionsOptions extends DirOptions, JsonOption {
  readonly watch?: boolean;
  readonly close?: string;
}

export async function sessionsCommand(options: SessionsOptions): Promise<void> {
  const client = await connectDaemon(options);
  try {
    if (options.close !== undefined) {
      await client.request('sessions.close', { id: options.close });
      show({ closed: options.close }, options, () => `Session ${options.close ?? ''} is being closed.`);
    } else if (options.watch === true) {
      const screen = options.json === true ? jsonLines() : new Screen();
      client.on('sessions.event', (event) => {
        screen.take(event);
      });
      await client.request('sessions.watch', {});
      await client.closed;
    } else {
      const { sessions } = await client.request('sessions.list', {});
      show({ sessions }, options, () => formatSessions(sessions, Date.now()));
    }
  } finally {
    client.close();
  }
}

export function formatSessions(sessions: readonly SessionView[], now: number): string {
  if (sessions.length === 0) return 'No sessions.';
  const columns: readonly Column<SessionView>[] = [
    { title: 'ID', value: ({ state }) => state.id },
    { title: 'SERVER', value: ({ state }) => serverLabel(state.connection), flexible: true },
    { title: 'PROGRAM', value: whose, flexible: true },
    { title: 'PROTECTION', value: ({ state }) => protectionText(state), flexible: true },
    { title: 'FILES', value: ({ state }) => filesText(state) },
    { title: 'DOWN', value: ({ state }) => formatBytes(state.bytesDown), right: true },
    { title: 'UP', value: ({ state }) => formatBytes(state.bytesUp), right: true },
    { title: 'FOR', value: ({ state }) => formatSpan(now - state.startedAt), right: true },
  ];
  return formatTable(columns, sessions);
}

/** A device's programs are out of sight. */
function whose({ program, state: { connection } }: SessionView): string {
  return connection.forwarded === true ? `device ${connection.client.address}` : (program ?? '-');
}

/** What a session waits for, in words; the phases are those of daemon/ftp/state.ts. */
const PHASE_WORDS: Readonly<Record<string, string>> = {
  connecting: 'connecting',
  greeting: 'waiting for the greeting',
  plain: 'before login',
  clientAuth: 'securing itself',
  negotiating: 'negotiating',
  proving: 'negotiating',
  handshaking: 'TLS handshake',
  judgingKey: 'key in question',
  judgingClear: 'cleartext in question',
  reconnecting: 'connecting again',
};

function protectionText(state: SessionState): string {
  switch (state.protection) {
    case 'secured':
      return state.protocol ?? state.mechanism ?? 'encrypted';
    case 'cleartext':
      return 'NOT ENCRYPTED';
    case 'tunnelled':
      return "program's own";
    case 'relayed':
      return 'not FTP';
    case 'none':
      return PHASE_WORDS[state.phase] ?? state.phase;
  }
}

function filesText({ data, protection }: SessionState): string {
  if (protection !== 'secured') return '-';
  return { unknown: '-', private: 'encrypted', clear: 'IN CLEAR', refused: 'refused' }[data];
}

function jsonLines() {
  return {
    take: (event: SessionEvent) => {
      printJson(event);
    },
  };
}

/** Redraws at most four times a second, however much happens. */
const redrawMs = 250;

class Screen {
  readonly #sessions = new Map<string, SessionView>();
  #timer: NodeJS.Timeout | undefined;

  take(event: SessionEvent): void {
    if (event.kind === 'ended') this.#sessions.delete(event.id);
    else if (event.kind === 'changed') this.#sessions.set(event.session.state.id, event.session);
    else for (const session of event.sessions) this.#sessions.set(session.state.id, session);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, redrawMs);
  }

  #draw(): void {
    const now = Date.now();
    const text = formatSessions([...this.#sessions.values()], now);
    // Home and clear on a terminal; elsewhere the tables follow each other.
    if (process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J');
    print(`${new Date(now).toISOString().slice(11, 19)} UTC\n${text}${process.stdout.isTTY ? '' : '\n'}`);
  }
}
