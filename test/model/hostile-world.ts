// Everything can happen at any time: the server says what it likes, the network too, and the driver reports what it was never
// asked for. Only what would make the state grow without end is held back: more commands while two wait, more replies behind a held one.
import type { ChannelId, ChannelOutcome, Event } from '../../daemon/ftp/events.js';
import { IDENTITY, endpoint } from '../transcripts/notation.js';
import type { Move, World } from './world.js';
import { insideOf } from './opened.js';
import {
  clientSays,
  ODD_BYTES,
  ODD_LINES,
  PROGRAM_LINES,
  SAFETP_SERVER_WORDS,
  SEALED_SERVER_WORDS,
  SERVER_BYTES,
  SERVER_WORDS,
  serverSays,
} from './vocabulary.js';

const CLIENT: readonly Move[] = [
  ...[...PROGRAM_LINES, ...ODD_LINES].map((line) => move(`C: ${line}`, clientSays(`${line}\r\n`))),
  ...ODD_BYTES.map((text) => move(`C. ${text}`, clientSays(text))),
];
const SERVER: readonly Move[] = [
  ...SERVER_WORDS.map(said),
  ...SERVER_BYTES.map((text) => move(`S. ${text}`, serverSays(text))),
];
const SAFETP_SERVER: readonly Move[] = [...SERVER, ...SAFETP_SERVER_WORDS.map(said)];
const SEALED_SERVER: readonly Move[] = SEALED_SERVER_WORDS.map(said);
const NETWORK: readonly Move[] = [
  move('server connected', { kind: 'serverConnected' }),
  move('server failed', { kind: 'serverFailed', reason: 'refused' }),
  move('server closed ended', { kind: 'serverClosed', how: 'ended' }),
  move('server closed truncated', { kind: 'serverClosed', how: 'truncated' }),
  move('client closed', { kind: 'clientClosed' }),
  move('tls established', { kind: 'tlsEstablished', identity: IDENTITY }),
  move('tls failed', { kind: 'tlsFailed', reason: 'alert' }),
  move('decided allow', { kind: 'decided', decision: { kind: 'allow' } }),
  move('decided refuse', { kind: 'decided', decision: { kind: 'refuse', sentence: 'no.' } }),
  move('timer negotiation', { kind: 'timer', timer: 'negotiation' }),
  move('timer handshake', { kind: 'timer', timer: 'handshake' }),
  move('timer answer', { kind: 'timer', timer: 'answer' }),
  move('timer linger', { kind: 'timer', timer: 'linger' }),
];
const BEHIND_MAX = 2;
const PENDING_MAX = 20;
const OUTSTANDING_MAX = 3;

function said(line: string): Move {
  return move(`S: ${line}`, serverSays(`${line}\r\n`));
}

function move(label: string, event: Event): Move {
  return { label, event };
}

export function hostileMoves({ session, safetp }: World): readonly Move[] {
  const inside = insideOf(session);
  const { heldCommands, heldBytes, behind, channels, outstanding, repliesPending } = inside;
  const words = inside.sealed ? SEALED_SERVER : safetp ? SAFETP_SERVER : SERVER;
  const open = session.phase === 'secured' || session.phase === 'cleartext';
  const mayAsk = heldCommands < (open ? 2 : 1) && heldBytes < 100 && outstanding < OUTSTANDING_MAX;
  return [
    ...NETWORK,
    ...(mayAsk ? CLIENT : []),
    ...(behind < BEHIND_MAX && repliesPending < PENDING_MAX ? words : []),
    ...[channels, channels - 1].filter((id) => id > 0).flatMap((id) => onChannel(id, channels)),
  ];
}

function onChannel(id: number, newest: number): readonly Move[] {
  const channel = id as ChannelId;
  const name = `newest-${newest - id}`;
  const outcome = (kind: Exclude<ChannelOutcome['kind'], 'legFailed'>): Move =>
    move(`data ${name} ${kind}`, { kind: 'dataSettled', channel, outcome: { kind, bytes: 1 } });
  const leg = (which: 'client' | 'server'): Move =>
    move(`channel failed ${name} ${which}`, { kind: 'channelFailed', channel, leg: which, reason: 'gone' });
  const port = (kind: 'clientListening' | 'serverListening', text: string): Move =>
    move(`${kind} ${name}`, { kind, channel, endpoint: endpoint(text) });
  return [
    port('clientListening', '192.0.2.1:22000'),
    port('serverListening', '192.0.2.100:45000'),
    move(`client connected ${name}`, { kind: 'clientConnected', channel }),
    move(`server reached ${name}`, { kind: 'serverReached', channel }),
    leg('client'),
    leg('server'),
    outcome('complete'),
    outcome('truncated'),
    outcome('clientGone'),
    outcome('serverGone'),
  ];
}
