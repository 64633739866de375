// Conversations with the server proxy's session as text: `C: line` and `S: line` are bytes from client and backend, `> …` what has to
// follow, everything else an event. Played whole and byte by byte.
import assert from 'node:assert/strict';
import type { Event } from '../../../daemon/ftp/events.js';
import type { ServeEffect, ServeEvent } from '../../../daemon/serve/session/events.js';
import type { ServeContext, ServePolicy } from '../../../daemon/serve/session/policy.js';
import { ServeSession } from '../../../daemon/serve/session/serve-session.js';
import { formatEndpoint } from '../../../shared/endpoint.js';
import { endpoint, formatBytes, parseBytes, parseEvent } from '../../transcripts/notation.js';

export interface Settings extends Partial<ServePolicy> {
  readonly implicit?: boolean;
  /** The bytes must arrive in one piece: that is what the case is about. */
  readonly uncut?: boolean;
}

function contextOf(settings: Settings): ServeContext {
  const { implicit, words, require, dataDefault } = settings;
  return {
    policy: {
      require: require ?? 'secure',
      words: words ?? ['TLS', 'TLS-C', 'TLS-P', 'SSL'],
      mechanisms: words ?? ['TLS', 'TLS-C', 'TLS-P', 'SSL'],
      dataDefault: dataDefault ?? 'clear',
    },
    backend: endpoint('127.0.0.1:2121'),
    client: endpoint('192.0.2.100:40000'),
    implicit: implicit === true,
    safetp: undefined,
    noEpsv: false,
    passiveProven: true,
  };
}

/** Asserts that the conversation goes as written; returns the session for further questions. */
export function play(settings: Settings, text: string): ServeSession {
  if (settings.uncut !== true) playOnce(settings, text, 1);
  return playOnce(settings, text, Number.POSITIVE_INFINITY);
}

function playOnce(settings: Settings, text: string, piece: number): ServeSession {
  const session = new ServeSession(contextOf(settings));
  const heard: string[] = [];
  const note = (effects: readonly ServeEffect[]): void => {
    for (const effect of effects) heard.push(...formatEffect(effect).map((line) => `> ${line}`));
  };
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  note(session.start());
  for (const line of lines) {
    if (line.startsWith('> ')) continue;
    heard.push(line);
    const bytes = parseBytes(line);
    if (bytes === undefined) {
      note(session.step(eventOf(line)));
      continue;
    }
    const kind = bytes.side === 'C' ? 'clientBytes' : 'serverBytes';
    for (let at = 0; at < bytes.bytes.length; at += piece)
      note(session.step({ kind, bytes: bytes.bytes.subarray(at, at + piece) }));
  }
  assert.deepEqual(heard, lines);
  return session;
}

function eventOf(line: string): ServeEvent {
  if (line === 'client secured') return { kind: 'clientSecured' };
  if (line === 'timer login' || line === 'timer held')
    return { kind: 'timer', timer: line === 'timer held' ? 'held' : 'login' };
  const event: Event = parseEvent(line);
  if (event.kind === 'tlsEstablished' || event.kind === 'tlsFailed' || event.kind === 'decided')
    throw new Error(`not an event here: ${line}`);
  return event;
}

function formatEffect(effect: ServeEffect): readonly string[] {
  switch (effect.kind) {
    case 'sendClient':
      return formatBytes('C', Buffer.from(effect.bytes));
    case 'sendServer':
      return formatBytes('S', Buffer.from(effect.bytes));
    case 'setTimer':
    case 'clearTimer':
      return [`${effect.kind} ${effect.timer}`];
    case 'connectClient':
    case 'connectServer':
      return [`${effect.kind} ${effect.channel} ${formatEndpoint(effect.to)}`];
    case 'relay':
      return [`relay ${effect.channel} ${effect.direction} ${effect.protection}`];
    case 'listenForClient':
    case 'listenForServer':
    case 'expectEnd':
    case 'discard':
    case 'useBlocks':
      return [`${effect.kind} ${effect.channel}`];
    case 'remember':
      return [`remember ${effect.fact}`];
    case 'dial':
    case 'hangUpServer':
    case 'secureClient':
    case 'awaitTurn':
    case 'linesSecured':
    case 'close':
      return [effect.kind];
  }
}
