// Everybody keeps the rules: the server answers each command once, in the order that it may, and the driver does what it was
// asked; legs and files fail as they do in life. Here each command must get its answer.
import type { Effect } from '../../daemon/ftp/effects.js';
import type { ChannelId, Event } from '../../daemon/ftp/events.js';
import { endpoint, IDENTITY } from '../transcripts/notation.js';
import { insideOf } from './opened.js';
import { OPENED, SEALED } from './stand-in-safetp.js';
import {
  clientSays,
  overtakingReply,
  PROGRAM_LINES,
  repliesTo,
  sealedReply,
  serverSays,
} from './vocabulary.js';
import type { Move, World } from './world.js';

/** What the driver still has to do, or the person to answer. */
export interface Duty {
  readonly kind: 'dial' | 'tls' | 'judge' | 'clientPort' | 'join' | 'reach' | 'serverPort' | 'data';
  readonly channel: ChannelId | undefined;
}

/** Books of what others owe the session; part of a state. */
export class Debts {
  duties: readonly Duty[] = [];
  unanswered: readonly string[] = [];
  readonly #implicit: boolean;

  constructor(implicit: boolean) {
    this.#implicit = implicit;
  }

  key(newest: number): string {
    const duties = this.duties.map(
      ({ kind, channel }) => `${kind}${channel === undefined ? '' : newest - channel}`,
    );
    return `${duties.join(',')}|${this.unanswered.join(',')}`;
  }

  /** A duty is done with by the event that answers it, and a command by its final reply. */
  note(event: Event, effects: readonly Effect[]): void {
    if (event.kind === 'serverBytes')
      for (const line of Buffer.from(event.bytes).toString('latin1').split('\r\n'))
        this.#onReply(withoutCover(line, OPENED));
    const done = event.kind === 'channelFailed' ? FAILED[event.leg] : DUTY_OF[event.kind];
    if (done !== undefined) this.#finish(done, 'channel' in event ? event.channel : undefined);
    if (event.kind === 'serverConnected' && !this.#implicit) this.unanswered = ['GREETING'];
    if (event.kind === 'clientListening') this.#owe('join', event.channel);
    for (const effect of effects) this.#onEffect(effect);
  }

  #finish(kinds: readonly Duty['kind'][], channel: ChannelId | undefined): void {
    const at = this.duties.findIndex((duty) => kinds.includes(duty.kind) && duty.channel === channel);
    if (at >= 0) this.duties = this.duties.filter((_, index) => index !== at);
  }

  #onReply(line: string): void {
    const isFinal = /^[2-5][0-9]{2}(?: |$)/.test(line);
    if (!isFinal && !line.startsWith('150 ')) return;
    const overtaken = this.unanswered.findIndex(
      (verb) => overtakingReply(withoutCover(verb, SEALED))?.endsWith(line) === true,
    );
    const at = isFinal && this.unanswered[0]?.endsWith(' FINAL') === true ? Math.max(overtaken, 0) : 0;
    const verb = (this.unanswered[at] ?? '').replace(/ FINAL$/, '');
    const rest = this.unanswered.filter((_, index) => index !== at);
    this.unanswered = isFinal ? rest : [`${verb} FINAL`, ...rest];
  }

  #onEffect(effect: Effect): void {
    switch (effect.kind) {
      case 'dial':
        this.unanswered = [];
        this.#owe('dial');
        break;
      case 'startTls':
        this.#owe('tls');
        break;
      case 'ask':
        if (this.#implicit && effect.question.kind === 'key') this.unanswered = ['GREETING'];
        this.#owe('judge');
        break;
      case 'sendServer':
        this.#onSent(Buffer.from(effect.bytes).toString('latin1'));
        break;
      case 'listenForClient':
        this.#owe('clientPort', effect.channel);
        break;
      case 'connectServer':
        this.#owe('reach', effect.channel);
        break;
      case 'listenForServer':
        this.#owe('serverPort', effect.channel);
        break;
      case 'relay':
        this.#owe('data', effect.channel);
        break;
      case 'discard':
        this.duties = this.duties.filter(({ channel }) => channel !== effect.channel);
        break;
      default:
        break;
    }
  }

  #owe(kind: Duty['kind'], channel?: ChannelId): void {
    this.duties = [...this.duties, { kind, channel }];
  }

  #onSent(text: string): void {
    const verbs = text.split('\r\n').flatMap((line) => {
      const [, cover = '', verb] = SPOKEN.exec(line) ?? [];
      return verb === undefined ? [] : `${cover}${verb}`;
    });
    this.unanswered = [...this.unanswered, ...verbs];
  }
}

/** A command, perhaps in its cover; the mechanisms and the steps of X-SafeTP1 are told apart. */
const SPOKEN = /^[^A-Z]*(ENC )?(AUTH X-SafeTP1|ADAT key|ADAT proof|[A-Z]+)/;

function withoutCover(text: string, cover: string): string {
  return text.startsWith(cover) ? text.slice(cover.length) : text;
}

const DUTY_OF: Readonly<Partial<Record<Event['kind'], readonly Duty['kind'][]>>> = {
  serverConnected: ['dial'],
  tlsEstablished: ['tls'],
  decided: ['judge'],
  clientListening: ['clientPort'],
  serverReached: ['reach'],
  serverListening: ['serverPort'],
  clientConnected: ['join'],
  dataSettled: ['data'],
};

const FAILED: Readonly<Record<'client' | 'server', readonly Duty['kind'][]>> = {
  client: ['clientPort'],
  server: ['reach', 'serverPort'],
};

export function willingMoves(world: World): readonly Move[] {
  const { unanswered, duties } = world.debts;
  return [
    ...duties.flatMap(ways),
    ...answers(unanswered).map((reply) => ({ label: `S: ${reply}`, event: serverSays(`${reply}\r\n`) })),
    ...(mayAsk(world)
      ? PROGRAM_LINES.map((line) => ({ label: `C: ${line}`, event: clientSays(`${line}\r\n`) }))
      : []),
  ];
}

/** The move that leads on: duties first, then answers. Undefined when everything is done. */
export function leadingMove(world: World): Move | undefined {
  const [duty] = world.debts.duties;
  const reply = answers(world.debts.unanswered)[0];
  return duty !== undefined
    ? ways(duty)[0]
    : reply === undefined
      ? undefined
      : { label: `S: ${reply}`, event: serverSays(`${reply}\r\n`) };
}

/** Programs wait for their answers, but for one more command, and for what they say while a transfer runs. */
function mayAsk({ session, monitor, debts }: World): boolean {
  const running = debts.unanswered[0]?.endsWith(' FINAL') === true;
  const early = session.phase === 'connecting' || session.phase === 'greeting';
  return monitor.awaited < (running ? 3 : 2) && insideOf(session).heldCommands < (early ? 1 : 2);
}

function answers(unanswered: readonly string[]): readonly string[] {
  const [oldest, ...later] = unanswered;
  if (oldest === undefined) return [];
  const bare = withoutCover(oldest, SEALED);
  const early = bare.endsWith(' FINAL')
    ? later.flatMap((verb) => overtakingReply(withoutCover(verb, SEALED)) ?? [])
    : [];
  const replies = [...repliesTo(bare), ...early];
  return bare === oldest ? replies : replies.map(sealedReply);
}

/** How a duty may end; the first one is success. */
function ways({ kind, channel = 0 as ChannelId }: Duty): readonly Move[] {
  switch (kind) {
    case 'dial':
      return [{ label: 'server connected', event: { kind: 'serverConnected' } }];
    case 'tls':
      return [{ label: 'tls established', event: { kind: 'tlsEstablished', identity: IDENTITY } }];
    case 'judge':
      return [{ label: 'decided allow', event: { kind: 'decided', decision: { kind: 'allow' } } }];
    case 'clientPort':
      return [
        {
          label: 'client listening',
          event: { kind: 'clientListening', channel, endpoint: endpoint('192.0.2.1:22000') },
        },
        failing(channel, 'client'),
      ];
    case 'join':
      return [{ label: 'client connected', event: { kind: 'clientConnected', channel } }];
    case 'reach':
      return [
        { label: 'server reached', event: { kind: 'serverReached', channel } },
        failing(channel, 'server'),
      ];
    case 'serverPort':
      return [
        {
          label: 'server listening',
          event: { kind: 'serverListening', channel, endpoint: endpoint('192.0.2.100:45000') },
        },
        failing(channel, 'server'),
      ];
    case 'data':
      return (['complete', 'truncated', 'clientGone', 'serverGone'] as const).map((how) => ({
        label: `data ${how}`,
        event: { kind: 'dataSettled', channel, outcome: { kind: how, bytes: 1 } },
      }));
  }
}

function failing(channel: ChannelId, leg: 'client' | 'server'): Move {
  return {
    label: `channel failed ${leg}`,
    event: { kind: 'channelFailed', channel, leg, reason: 'none' },
  };
}
