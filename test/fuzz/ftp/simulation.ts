// Drives a session as a driver, a client and a server would, by dice: mostly sensible, sometimes hostile. What a real driver
// never does (late events, wrong channels) is done too. Knows what a session may say, from what it was told, without looking into it.
import { parseEndpoint, type Endpoint } from '../../../shared/endpoint.js';
import type { Effect } from '../../../daemon/ftp/effects.js';
import type { ChannelId, Event } from '../../../daemon/ftp/events.js';
import { Session, type SessionContext } from '../../../daemon/ftp/session.js';
import { IDENTITY } from '../../transcripts/notation.js';
import { CLIENT_LINES, HOSTILE_CLIENT, HOSTILE_SERVER, TRANSFER_VERBS, repliesTo } from './vocabulary.js';

/** One throw: which kind of thing happens, and two numbers that choose among them. */
export interface Throw {
  readonly what: number;
  readonly which: number;
  readonly how: number;
}

/** What a run reached, for the report. */
export interface Reached {
  readonly phases: ReadonlySet<string>;
  readonly transfers: number;
}

/** What may be answered before a transfer's end, and how, so that it can be told from that. */
const OVERTAKING: Readonly<Record<string, string>> = {
  NOOP: '200 ok',
  STAT: '211-a\r\n211 b',
  QUIT: '221 bye',
  ABOR: '225 aborting',
};
const OUTPUT_MAX = 2_000_000;
const CREDENTIALS =
  /^(?:[\t ]|[\xf0-\xfe]|\xff[\xf0-\xfa]|\xff[\xfb-\xfe][^])*(?:USER|PASS|ACCT)(?:[\s\0]|$)/i;
const ANONYMOUS = /^\s*USER\s+(?:anonymous|ftp)\s*$/i;

export class Simulation {
  readonly events: Event[] = [];
  readonly phases = new Set<string>();
  readonly #session: Session;
  readonly #context: SessionContext;
  readonly #duties: (() => Event)[] = [];
  readonly #discarded = new Set<ChannelId>();
  readonly #relayed = new Set<ChannelId>();
  #unanswered: string[] = [];
  readonly #toClient: string[] = [];
  #unfinished = '';
  #commands = 0;
  #toServer = '';
  #asked: 'key' | 'cleartext' | 'anonymous' | undefined;
  #credentials: 'never' | 'anonymous' | 'allowed' = 'never';
  #sawHandshakeByte = false;
  #over: 'close' | 'tunnel' | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#session = new Session(context);
    if (context.policy.mode === 'plain') this.#credentials = 'allowed';
    this.#observe(this.#session.start());
  }

  get ended(): 'close' | 'tunnel' | undefined {
    return this.#over;
  }

  get reached(): Reached {
    return { phases: this.phases, transfers: this.#session.view().transfers };
  }

  /** Throws when the session breaks one of its promises. */
  run(throws: readonly Throw[]): void {
    for (const dice of throws) {
      this.step(this.#choose(dice));
      if (this.#over !== undefined) break;
    }
    // Nothing may come any more, whatever happens.
    if (this.#over === undefined) return;
    for (const dice of throws.slice(0, 5)) this.step(this.#choose(dice));
  }

  step(event: Event): void {
    this.#beforeStep(event);
    this.events.push(event);
    const effects = this.#session.step(event);
    if (this.#over !== undefined && effects.length > 0)
      throw new Error(`something was said after ${this.#over}`);
    this.#observe(effects);
    this.phases.add(this.#session.phase);
    this.#session.view();
  }

  /**
   * As `run`, but everybody is willing: the server answers each command once, in the order that it may, and legs and
   * files fail only as they do in life. Then all that is left to do is done. Returns how many commands the client sent and how many
   * final replies it got, which has to be the same number unless the session has ended.
   */
  runWillingly(throws: readonly Throw[]): { readonly commands: number; readonly replies: number } {
    for (const dice of throws) {
      if (this.#over !== undefined) break;
      this.step(this.#chooseWillingly(dice));
    }
    for (let n = 0; n < 20_000 && this.#over === undefined; n += 1) {
      const duty = this.#duties.shift();
      if (duty !== undefined) this.step(duty());
      else if (this.#unanswered.length > 0) this.step(this.#answerWillingly(n));
      else break;
    }
    const replies = this.#toClient.filter((line) => /^[2-5][0-9]{2}(?: |$)/.test(line)).length;
    return { commands: this.#commands, replies };
  }

  #chooseWillingly({ what, which, how }: Throw): Event {
    if (what < 40 && this.#duties.length > 0) {
      const [duty] = this.#duties.splice(which % this.#duties.length, 1);
      if (duty !== undefined) return how % 6 === 5 ? this.#likeLife(duty(), which) : duty();
    }
    if (what < 70 && this.#unanswered.length > 0) return this.#answerWillingly(how);
    const line = pick(CLIENT_LINES, which);
    if (line.trim() !== '') this.#commands += 1;
    return client(`${line}\r\n`);
  }

  /** Something that may happen in place of a duty's success. */
  #likeLife(event: Event, which: number): Event {
    if (event.kind === 'dataSettled') {
      const outcome = pick(['truncated', 'clientGone', 'serverGone'] as const, which);
      return { ...event, outcome: { kind: outcome, bytes: 1 } };
    }
    if (event.kind === 'serverReached')
      return { kind: 'channelFailed', channel: event.channel, leg: 'server', reason: 'no answer' };
    if (event.kind !== 'clientListening' && event.kind !== 'serverListening') return event;
    const leg = event.kind === 'clientListening' ? 'client' : 'server';
    return { kind: 'channelFailed', channel: event.channel, leg, reason: 'none left' };
  }

  #answerWillingly(how: number): Event {
    const mayOvertake = this.#unanswered[0]?.endsWith(' FINAL') === true;
    const at = mayOvertake ? this.#unanswered.findIndex((verb) => how % 3 === 0 && verb in OVERTAKING) : 0;
    const [verb = ''] = this.#unanswered.splice(Math.max(at, 0), 1);
    const overtaking = at > 0 ? OVERTAKING[verb] : undefined;
    const replies = repliesTo(verb).filter((reply) => reply !== '' && isWhole(verb, reply));
    const reply = overtaking ?? (how % 4 === 0 ? pick(replies, how >> 2) : (replies[0] ?? '200 ok'));
    if (/^1[0-9]{2}(?: |-(?![^]*\r\n[2-5]))/.test(reply) && !/\r\n[2-5]/.test(reply))
      this.#unanswered.unshift(`${verb} FINAL`);
    return server(`${reply}\r\n`);
  }

  #choose({ what, which, how }: Throw): Event {
    if (what < 40 && this.#duties.length > 0) {
      const [duty] = this.#duties.splice(which % this.#duties.length, 1);
      if (duty !== undefined) return how % 8 === 7 ? this.#failing(which) : duty();
    }
    if (what < 65 && this.#unanswered.length > 0) return this.#answer(how);
    if (what < 92)
      return client(
        `${pick(CLIENT_LINES, which)}\r\n${how % 5 === 0 ? `${pick(CLIENT_LINES, how)}\r\n` : ''}`,
      );
    if (what < 94) return client(pick(HOSTILE_CLIENT, which));
    if (what < 97) return server(pick(HOSTILE_SERVER, which));
    return this.#hostile(which, how);
  }

  #answer(how: number): Event {
    const verb = this.#unanswered.shift() ?? '';
    const replies = repliesTo(verb);
    // The first one is the one that leads on.
    const reply = how % 4 === 0 ? pick(replies, how >> 2) : (replies[0] ?? '');
    if (reply.startsWith('1') && !reply.includes('\r\n')) this.#unanswered.unshift(`${verb} FINAL`);
    return server(reply === '' ? '' : `${reply}\r\n`);
  }

  #failing(which: number): Event {
    const channel = (1 + (which % 4)) as ChannelId;
    return pick<Event>(
      [
        { kind: 'serverFailed', reason: 'refused' },
        { kind: 'tlsFailed', reason: 'handshake failure' },
        { kind: 'channelFailed', channel, leg: 'server', reason: 'refused' },
        { kind: 'channelFailed', channel, leg: 'client', reason: 'taken' },
        { kind: 'dataSettled', channel, outcome: { kind: 'legFailed', leg: 'client', reason: 'x' } },
      ],
      which >> 2,
    );
  }

  #hostile(which: number, how: number): Event {
    const channel = (1 + (how % 4)) as ChannelId;
    return pick<Event>(
      [
        { kind: 'serverConnected' },
        { kind: 'serverClosed', how: pick(['ended', 'truncated', 'reset'] as const, how) },
        { kind: 'clientClosed' },
        { kind: 'tlsEstablished', identity: IDENTITY },
        { kind: 'decided', decision: { kind: 'refuse', sentence: 'no\r\nUSER x' } },
        { kind: 'decided', decision: { kind: 'allow' } },
        { kind: 'timer', timer: 'negotiation' },
        { kind: 'timer', timer: 'handshake' },
        { kind: 'timer', timer: 'answer' },
        { kind: 'timer', timer: 'linger' },
        { kind: 'clientConnected', channel },
        { kind: 'serverReached', channel },
        { kind: 'clientListening', channel, endpoint: endpoint('192.0.2.1:22000') },
        { kind: 'serverListening', channel, endpoint: endpoint('192.0.2.100:45000') },
        { kind: 'channelFailed', channel, leg: 'server', reason: 'gone\r\n230 x' },
        { kind: 'dataSettled', channel, outcome: { kind: 'complete', bytes: 1 } },
        { kind: 'dataSettled', channel, outcome: { kind: 'truncated', bytes: 1 } },
      ],
      which,
    );
  }

  /** Keeps the books about what was allowed, from the questions asked and the answers given. */
  #beforeStep(event: Event): void {
    if (event.kind === 'clientBytes') this.#sawHandshakeByte ||= event.bytes.includes(0x16);
    if (event.kind !== 'decided' || this.#asked === undefined) return;
    if (event.decision.kind === 'allow')
      this.#credentials = this.#asked === 'anonymous' ? 'anonymous' : 'allowed';
    this.#asked = undefined;
  }

  #observe(effects: readonly Effect[]): void {
    let bytes = 0;
    for (const [at, effect] of effects.entries()) {
      if (this.#over !== undefined) throw new Error(`${effect.kind} behind ${this.#over}`);
      if (effect.kind === 'sendClient' || effect.kind === 'sendServer') bytes += effect.bytes.length;
      this.#note(effect);
      if (this.ended !== undefined && at !== effects.length - 1)
        throw new Error(`effects behind ${effect.kind}`);
    }
    if (bytes > OUTPUT_MAX || effects.length > 50_000) throw new Error('the output is not bounded');
  }

  #note(effect: Effect): void {
    if ('channel' in effect) this.#noteChannel(effect);
    switch (effect.kind) {
      case 'dial':
        this.#toServer = '';
        this.#unanswered = [];
        this.#duties.push(() => {
          if (this.#context.policy.mode === 'explicit' || this.#context.policy.mode === 'plain')
            this.#unanswered.push('GREETING');
          return { kind: 'serverConnected' };
        });
        break;
      case 'sendClient':
        this.#onSendClient(Buffer.from(effect.bytes).toString('latin1'));
        break;
      case 'sendServer':
        this.#onSendServer(Buffer.from(effect.bytes).toString('latin1'));
        break;
      case 'startTls':
        this.#duties.push(() => ({ kind: 'tlsEstablished', identity: IDENTITY }));
        break;
      case 'ask':
        this.#onAsk(
          effect.question.kind === 'key' ? 'key' : effect.question.anonymous ? 'anonymous' : 'cleartext',
        );
        break;
      case 'tunnel':
        if (this.#context.policy.mode !== 'tunnel' && !this.#sawHandshakeByte)
          throw new Error('a tunnel without a handshake');
        this.#over = 'tunnel';
        break;
      case 'close':
        this.#over = 'close';
        break;
      default:
        break;
    }
  }

  #onAsk(asked: 'key' | 'cleartext' | 'anonymous'): void {
    this.#asked = asked;
    if (this.#context.policy.mode === 'implicit' && asked === 'key') this.#unanswered.push('GREETING');
    this.#duties.push(() => ({ kind: 'decided', decision: { kind: 'allow' } }));
  }

  #noteChannel(effect: Extract<Effect, { readonly channel: ChannelId }>): void {
    const { channel } = effect;
    if (this.#discarded.has(channel))
      throw new Error(`${effect.kind} of channel ${channel}, which was discarded`);
    switch (effect.kind) {
      case 'discard':
        this.#discarded.add(channel);
        break;
      case 'listenForClient':
        this.#duties.push(() => ({
          kind: 'clientListening',
          channel,
          endpoint: endpoint('192.0.2.1:22000'),
        }));
        break;
      case 'connectServer':
        this.#duties.push(() => ({ kind: 'serverReached', channel }));
        break;
      case 'listenForServer':
        this.#duties.push(() => ({
          kind: 'serverListening',
          channel,
          endpoint: endpoint('192.0.2.100:45000'),
        }));
        break;
      case 'relay':
        if (this.#relayed.has(channel)) throw new Error(`channel ${channel} is relayed twice`);
        this.#relayed.add(channel);
        this.#duties.push(() => ({ kind: 'dataSettled', channel, outcome: { kind: 'complete', bytes: 1 } }));
        break;
      default:
        break;
    }
  }

  #onSendClient(text: string): void {
    const lines = `${this.#unfinished}${text}`.split('\r\n');
    this.#unfinished = lines.pop() ?? '';
    this.#toClient.push(...lines);
  }

  /** THE promise: no credential leaves before the connection is protected or clear was allowed. */
  #onSendServer(text: string): void {
    const before = this.#toServer;
    this.#toServer = `${before}${text}`.slice(-100_000);
    const lineStart = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1;
    for (const line of `${before.slice(lineStart)}${text}`.split(/[\r\n]/)) {
      if (CREDENTIALS.test(line) && !this.#mayLeave(line))
        throw new Error(`a credential left: ${JSON.stringify(line)}`);
    }
    for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
      this.#unanswered.push(/^[A-Z]*/.exec(line.trim().toUpperCase())?.[0] ?? '');
    }
    if (this.#unanswered.length > 200) this.#unanswered.length = 200;
  }

  #mayLeave(line: string): boolean {
    if (this.#credentials === 'anonymous') return !/^[^A-Z]*USER/i.test(line) || ANONYMOUS.test(line);
    return this.#credentials === 'allowed';
  }
}

/** One whole reply, of which there is one for each command. */
function isWhole(verb: string, reply: string): boolean {
  if (verb === 'GREETING') return reply.startsWith('220');
  const isTransfer = TRANSFER_VERBS.includes(verb);
  const finals = reply.split('\r\n').filter((line) => /^[2-5][0-9]{2}(?: |$)/.test(line)).length;
  const begun = reply.startsWith('1');
  if (reply === '211-F:' || reply.startsWith('234 go\r\n')) return false;
  return isTransfer ? finals <= 1 : finals === 1 && !begun;
}

function client(text: string): Event {
  return { kind: 'clientBytes', bytes: Buffer.from(text, 'latin1') };
}

function server(text: string): Event {
  return { kind: 'serverBytes', bytes: Buffer.from(text, 'latin1') };
}

function pick<T>(choices: readonly T[], at: number): T {
  return choices[at % choices.length]!;
}

function endpoint(text: string): Endpoint {
  return parseEndpoint(text)!;
}
