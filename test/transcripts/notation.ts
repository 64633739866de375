// The notation of the text transcripts: what a line means, both ways. README.md in this folder describes it for people.
import { formatEndpoint, parseEndpoint, parsePort, type Endpoint } from '../../shared/endpoint.js';
import type { ServerIdentity } from '../../shared/trust.js';
import type { Effect } from '../../daemon/ftp/effects.js';
import type { ChannelId, ChannelOutcome, Event, TimerName } from '../../daemon/ftp/events.js';

export type Side = 'C' | 'S';

/** Reads `\r \n \t \0 \\ \xHH` and `{text*N}` (the text N times over). Throws on anything else behind a backslash. */
export function decodeText(text: string): Buffer {
  const repeated = text.replace(/\{((?:[^{}\\]|\\.)+)\*([0-9]+)\}/g, (_, unit: string, count: string) =>
    unit.repeat(Number(count)),
  );
  const plain = repeated.replace(/\\(x[0-9A-Fa-f]{2}|.)/g, (_, code: string) => unescape(code));
  return Buffer.from(plain, 'latin1');
}

const ESCAPES: Readonly<Record<string, string>> = {
  r: '\r',
  n: '\n',
  t: '\t',
  '0': '\0',
  '\\': '\\',
  '{': '{',
};

function unescape(code: string): string {
  if (code.length === 3) return String.fromCharCode(parseInt(code.slice(1), 16));
  const character = ESCAPES[code];
  if (character === undefined) throw new Error(`unknown escape \\${code}`);
  return character;
}

function encodeText(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[^ -~]|[\\{]/g, (character) => {
    const known = Object.entries(ESCAPES).find(([, value]) => value === character);
    return known === undefined
      ? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
      : `\\${known[0]}`;
  });
}

/** Bytes as lines: `C: text` for each one that ends in CRLF, `C. text` for what does not. */
export function formatBytes(side: Side, bytes: Buffer): readonly string[] {
  const lines: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n', at);
    const piece = bytes.subarray(at, end === -1 ? bytes.length : end);
    lines.push(`${side}${end === -1 ? '.' : ':'} ${encodeText(piece)}`.trimEnd());
    at = end === -1 ? bytes.length : end + 2;
  }
  return lines;
}

/** The reverse of one line of `formatBytes`; undefined for any other line. */
export function parseBytes(line: string): { readonly side: Side; readonly bytes: Buffer } | undefined {
  const match = /^([CS])([:.])(?: (.*))?$/.exec(line);
  if (match === null) return undefined;
  const bytes = decodeText(match[3] ?? '');
  const whole = match[2] === ':' ? Buffer.concat([bytes, Buffer.from('\r\n')]) : bytes;
  return { side: match[1] === 'C' ? 'C' : 'S', bytes: whole };
}

/** Effects as lines, adjacent bytes to the same side joined. */
export function formatEffects(effects: readonly Effect[]): readonly string[] {
  return join(effects).flatMap((effect) => formatEffect(effect).map((line) => `> ${line}`));
}

function join(effects: readonly Effect[]): readonly Effect[] {
  const joined: Effect[] = [];
  for (const effect of effects) {
    const last = joined.at(-1);
    const isBytes = effect.kind === 'sendClient' || effect.kind === 'sendServer';
    if (isBytes && last?.kind === effect.kind) {
      joined[joined.length - 1] = { ...effect, bytes: Buffer.concat([last.bytes, effect.bytes]) };
    } else {
      joined.push(effect);
    }
  }
  return joined;
}

function formatEffect(effect: Effect): readonly string[] {
  switch (effect.kind) {
    case 'sendClient':
      return formatBytes('C', Buffer.from(effect.bytes));
    case 'sendServer':
      return formatBytes('S', Buffer.from(effect.bytes));
    case 'dial':
      return [`dial ${effect.port}`];
    case 'startTls':
      return [effect.servername === undefined ? 'startTls' : `startTls ${effect.servername}`];
    case 'ask':
      return [formatQuestion(effect)];
    case 'setTimer':
    case 'clearTimer':
      return [`${effect.kind} ${effect.timer}`];
    case 'connectClient':
      return [`connectClient ${effect.channel} ${formatEndpoint(effect.to)}`];
    case 'connectServer':
      return [`connectServer ${effect.channel} ${formatEndpoint(effect.to)} ${effect.protection}`];
    case 'listenForServer':
      return [`listenForServer ${effect.channel} ${effect.protection}`];
    case 'useBlocks':
      return [`useBlocks ${effect.channel}`];
    case 'secureSoon':
      return [`secureSoon ${effect.channel}`];
    case 'relay':
      return [`relay ${effect.channel} ${effect.direction}`];
    case 'listenForClient':
    case 'expectEnd':
    case 'discard':
      return [`${effect.kind} ${effect.channel}`];
    case 'remember':
      return [`remember ${effect.fact}`];
    case 'hangUpServer':
    case 'tunnel':
    case 'close':
      return [effect.kind];
  }
}

function formatQuestion({ question }: Extract<Effect, { kind: 'ask' }>): string {
  if (question.kind === 'key') return 'ask key';
  return `ask cleartext${question.anonymous ? ' anonymous' : ''} ${JSON.stringify(question.reason)}`;
}

export const IDENTITY: ServerIdentity = {
  mechanism: 'TLS',
  fingerprint: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
};

/** One line that is an event other than bytes; throws for a line that is none. */
export function parseEvent(line: string): Event {
  const [subject = '', verb = '', ...rest] = line.split(' ');
  const tail = rest.join(' ');
  switch (`${subject} ${verb}`) {
    case 'server connected':
      return { kind: 'serverConnected' };
    case 'server failed':
      return { kind: 'serverFailed', reason: tail };
    case 'server closed':
      return { kind: 'serverClosed', how: oneOf(tail, ['ended', 'truncated', 'reset']) };
    case 'client closed':
      return { kind: 'clientClosed' };
    case 'tls established':
      return { kind: 'tlsEstablished', identity: IDENTITY };
    case 'tls failed':
      return { kind: 'tlsFailed', reason: tail };
    case 'decided allow':
      return { kind: 'decided', decision: { kind: 'allow', ...(tail === '' ? {} : { warning: tail }) } };
    case 'decided refuse':
      return { kind: 'decided', decision: { kind: 'refuse', sentence: tail } };
    case 'client connected':
      return { kind: 'clientConnected', channel: channel(rest[0]) };
    case 'client listening':
      return { kind: 'clientListening', channel: channel(rest[0]), endpoint: endpoint(rest[1]) };
    case 'server reached':
      return { kind: 'serverReached', channel: channel(rest[0]) };
    case 'server listening':
      return { kind: 'serverListening', channel: channel(rest[0]), endpoint: endpoint(rest[1]) };
    case 'channel failed': {
      const leg = oneOf(rest[1] ?? '', ['client', 'server']);
      return { kind: 'channelFailed', channel: channel(rest[0]), leg, reason: rest.slice(2).join(' ') };
    }
    default:
      break;
  }
  if (subject === 'timer') {
    const timer: TimerName = oneOf(verb, ['negotiation', 'handshake', 'answer', 'linger']);
    return { kind: 'timer', timer };
  }
  if (subject === 'data')
    return { kind: 'dataSettled', channel: channel(verb), outcome: parseOutcome(rest, line) };
  throw new Error(`not an event: ${line}`);
}

function parseOutcome(words: readonly string[], line: string): ChannelOutcome {
  const [kind = '', leg = '', ...reason] = words;
  if (kind === 'legFailed') return { kind, leg: oneOf(leg, ['client', 'server']), reason: reason.join(' ') };
  if (words.length !== 1) throw new Error(`not an outcome: ${line}`);
  return { kind: oneOf(kind, ['complete', 'truncated', 'clientGone', 'serverGone']), bytes: 0 };
}

function oneOf<T extends string>(text: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === text);
  if (found === undefined) throw new Error(`"${text}" is none of ${allowed.join(', ')}`);
  return found;
}

function channel(text: string | undefined): ChannelId {
  const id = parsePort(text);
  if (id === undefined) throw new Error(`"${text ?? ''}" is no channel`);
  return Number(id) as ChannelId;
}

export function endpoint(text: string | undefined): Endpoint {
  const parsed = parseEndpoint(text ?? '');
  if (parsed === undefined) throw new Error(`"${text ?? ''}" is no endpoint`);
  return parsed;
}
