// The promises of a session, as somebody sees it who stands outside and writes down what it was told and what it did. What the
// monitor remembers is part of a state in the model check.
import type { Effect } from '../../daemon/ftp/effects.js';
import type { ChannelId, ChannelOutcome, Event, TimerName } from '../../daemon/ftp/events.js';
import {
  COLLECTED_REPLY_MAX,
  HELD_COMMANDS_MAX,
  HELD_REPLIES_MAX,
  OUTSTANDING_MAX,
  REPLY_LINE_MAX,
} from '../../daemon/ftp/limits.js';
import type { Session, SessionContext } from '../../daemon/ftp/session.js';
import type { Phase } from '../../daemon/ftp/state.js';
import { insideOf } from './opened.js';
import { SAFETP_NAME, SEALED } from './stand-in-safetp.js';

const CREDENTIALS = /^[\t \0\xf0-\xff]*(?:USER|PASS|ACCT)(?:[\s\0]|$)/i;
const ANONYMOUS = /^USER (?:anonymous|ftp)$/i;
/** Phases in which ftpseal itself waits for the server, with the timer that ends the wait. */
const WAITS: Readonly<Partial<Record<Phase, TimerName>>> = {
  greeting: 'negotiation',
  negotiating: 'negotiation',
  proving: 'negotiation',
  reconnecting: 'negotiation',
  handshaking: 'handshake',
};

/** The text of the success that the model's server gives to transfers and to nothing else. */
export const TRANSFER_SUCCESS = '226 done';

export class Monitor {
  readonly #context: SessionContext;
  readonly #honest: boolean;
  readonly #timers = new Set<TimerName>();
  readonly #open = new Set<ChannelId>();
  readonly #discarded = new Set<ChannelId>();
  readonly #relayed = new Set<ChannelId>();
  readonly #inBlocks = new Set<ChannelId>();
  #asked: 'none' | 'key' | 'clear' | 'anonymous' = 'none';
  #credentials: 'none' | 'anonymous' | 'any';
  #tls: 'no' | 'begun' | 'stands' = 'no';
  /** X-SafeTP1: a key was accepted, and then each line has its cover. */
  #cover: 'no' | 'accepted' | 'on' = 'no';
  #over: 'no' | 'close' | 'tunnel' = 'no';
  #data: 'none' | 'asked' | 'whole' | 'broken' = 'none';
  #dataOf: ChannelId | undefined;
  #direction: 'download' | 'upload' = 'download';
  /** The server has said that the transfer succeeded; the client has not heard of it. */
  #verdictDue = false;
  /** Commands of the client without their final reply, the greeting counted as one. */
  awaited: number;

  /** `honest`: the server answers each command once, so that its replies can be counted. */
  constructor(context: SessionContext, { honest }: { readonly honest: boolean }) {
    this.#context = context;
    this.#honest = honest;
    this.#credentials = context.policy.mode === 'plain' ? 'any' : 'none';
    this.awaited = context.greeting === 'forward' ? 1 : 0;
  }

  get over(): boolean {
    return this.#over !== 'no';
  }

  /** What makes a difference for later promises. */
  key(newest: number): string {
    const channels = [...this.#open].map((id) => newest - id).join(',');
    const of = this.#dataOf === undefined ? '' : newest - this.#dataOf;
    const flags = [
      this.#asked,
      this.#credentials,
      this.#tls,
      this.#cover,
      this.#over,
      this.#data,
      this.#direction,
      of,
      this.#verdictDue,
    ];
    const awaited = this.#honest ? this.awaited : '';
    return `${[...this.#timers].sort().join(',')}|${channels}|${flags.join(' ')}|${awaited}`;
  }

  /** Throws when the session broke a promise with what it just did. */
  observe(session: Session, event: Event | undefined, effects: readonly Effect[]): void {
    if (event !== undefined) this.#before(event);
    for (const effect of effects) this.#note(session, effect);
    this.#checkBounds(session);
    this.#checkWaits(session);
  }

  #before(event: Event): void {
    if (event.kind === 'timer') this.#timers.delete(event.timer);
    if (event.kind === 'serverBytes' && this.#honest && this.#data !== 'none')
      this.#verdictDue ||= Buffer.from(event.bytes).includes(TRANSFER_SUCCESS);
    if (event.kind === 'tlsEstablished') this.#tls = this.#tls === 'no' ? 'no' : 'stands';
    if (event.kind === 'dataSettled' && event.channel === this.#dataOf)
      this.#onDataSettled(event.outcome.kind);
    if (event.kind !== 'decided' || this.#asked === 'none') return;
    if (event.decision.kind === 'allow' && this.#asked === 'key' && this.#tls !== 'stands')
      this.#cover = 'accepted';
    if (event.decision.kind === 'allow')
      this.#credentials = this.#asked === 'anonymous' ? 'anonymous' : 'any';
    this.#asked = 'none';
  }

  #onDataSettled(outcome: ChannelOutcome['kind']): void {
    const fine = outcome === 'complete' || (outcome === 'clientGone' && this.#direction === 'download');
    if (this.#data === 'asked') this.#data = fine ? 'whole' : 'broken';
  }

  #note(session: Session, effect: Effect): void {
    if (this.over) throw new Error(`${effect.kind} behind ${this.#over}`);
    if ('channel' in effect) this.#noteChannel(effect);
    switch (effect.kind) {
      case 'setTimer':
        this.#timers.add(effect.timer);
        break;
      case 'clearTimer':
        this.#timers.delete(effect.timer);
        break;
      case 'startTls':
        this.#checkCleanStart(session);
        this.#tls = 'begun';
        break;
      case 'ask':
        this.#onAsk(effect);
        break;
      case 'sendServer':
        this.#onSendServer(session, Buffer.from(effect.bytes).toString('latin1'));
        break;
      case 'sendClient':
        this.#onSendClient(Buffer.from(effect.bytes).toString('latin1'));
        break;
      case 'close':
      case 'tunnel':
        this.#over = effect.kind;
        break;
      default:
        break;
    }
  }

  #onAsk({ question }: Extract<Effect, { kind: 'ask' }>): void {
    const shown = question.kind === 'key' && question.identity.mechanism === SAFETP_NAME;
    if (question.kind === 'key' && this.#tls !== 'stands' && !shown) throw new Error('a key without TLS');
    if (question.kind !== 'key' && this.#cover !== 'no') throw new Error('clear, where encryption had begun');
    this.#asked = question.kind === 'key' ? 'key' : question.anonymous ? 'anonymous' : 'clear';
  }

  /** From the accepted key on nothing is said in clear but what proves it, and from DIGT on nothing at all. */
  #checkCover(session: Session, lines: readonly string[]): void {
    for (const line of lines.filter((each) => each !== '')) {
      if (this.#cover === 'accepted' && line === `${SEALED}DIGT`) this.#onCovered(session);
      const isProof = this.#cover === 'accepted' && line.startsWith('ADAT ');
      const isCovered = this.#cover === 'on' && line.startsWith(SEALED);
      if (!isProof && !isCovered) throw new Error(`in clear: ${JSON.stringify(line)}`);
      const isProven = session.phase === 'secured' || session.phase === 'closed';
      if (isCovered && line !== `${SEALED}DIGT` && !isProven)
        throw new Error(`before DIGT was answered: ${JSON.stringify(line)}`);
    }
  }

  #onCovered(session: Session): void {
    const { outstanding, repliesPending, midReply } = insideOf(session);
    if (outstanding > 1 || repliesPending > 0 || midReply)
      throw new Error('something in clear is left when lines are protected');
    this.#cover = 'on';
  }

  /** Nothing that was said in clear may be left to be read, or answered, inside TLS. */
  #checkCleanStart(session: Session): void {
    const { outstanding, repliesPending, midReply } = insideOf(session);
    if (outstanding > 0) throw new Error('commands in clear are unanswered when TLS begins');
    if (repliesPending > 0 || midReply) throw new Error('a reply in clear is unread when TLS begins');
  }

  #noteChannel(effect: Extract<Effect, { readonly channel: ChannelId }>): void {
    const { channel } = effect;
    if (this.#discarded.has(channel)) throw new Error(`${effect.kind} of a channel that was discarded`);
    this.#open.add(channel);
    if (this.#open.size > 1) throw new Error('two channels at once: the older one is never let go of');
    if (effect.kind === 'discard') {
      this.#discarded.add(channel);
      this.#open.delete(channel);
    }
    if (effect.kind === 'useBlocks') this.#inBlocks.add(channel);
    if (effect.kind === 'relay') {
      if (this.#cover === 'on' && !this.#inBlocks.has(channel)) throw new Error('data without its blocks');
      if (this.#relayed.has(channel)) throw new Error('a channel is relayed twice');
      this.#relayed.add(channel);
      this.#dataOf = channel;
      this.#direction = effect.direction;
    }
  }

  #onSendServer(session: Session, text: string): void {
    // What is only relayed has no lines; a tunnel begins with the client's own handshake.
    if (session.phase === 'passthrough' || session.phase === 'tunnel') return;
    const lines = text.split(/[\r\n]+/);
    if (this.#cover !== 'no') this.#checkCover(session, lines);
    for (const line of lines) {
      if (!CREDENTIALS.test(line)) continue;
      if (this.#credentials === 'any') continue;
      const anonymous = this.#credentials === 'anonymous' && (!/^USER/i.test(line) || ANONYMOUS.test(line));
      if (!anonymous) throw new Error(`a credential left: ${JSON.stringify(line)}`);
    }
    if (!/^(?:ENC )?(?:RETR|STOR)/m.test(text)) return;
    this.#data = this.#carriesData(session) ? 'asked' : 'none';
    this.#dataOf = undefined;
  }

  #carriesData(session: Session): boolean {
    const { data, phase } = session.view();
    return this.#context.dataPath === 'proxied' || (phase === 'secured' && data === 'private');
  }

  #onSendClient(text: string): void {
    for (const line of text.split('\r\n')) {
      // 421 may come at any time, and ends the session.
      if (!/^[2-5][0-9]{2}(?: |$)/.test(line) || line.startsWith('421')) continue;
      this.awaited -= 1;
      if (this.#verdictDue && line !== TRANSFER_SUCCESS && !/^42[56] /.test(line))
        throw new Error(`"${line}" overtook the verdict on a transfer`);
      this.#verdictDue = false;
      if (line === TRANSFER_SUCCESS) this.#onSuccess();
    }
    if (this.#honest && this.awaited < 0) throw new Error('more final replies than commands');
  }

  #onSuccess(): void {
    if (this.#honest && (this.#data === 'asked' || this.#data === 'broken'))
      throw new Error(`a success for a transfer whose data is ${this.#data}`);
    this.#data = 'none';
  }

  #checkBounds(session: Session): void {
    const inside = insideOf(session);
    const tooMuch =
      inside.outstanding > OUTSTANDING_MAX + 4 ||
      inside.behindBytes > HELD_REPLIES_MAX + COLLECTED_REPLY_MAX ||
      inside.heldBytes > 2 * HELD_COMMANDS_MAX ||
      (inside.repliesPending > REPLY_LINE_MAX && session.phase !== 'judgingKey');
    if (tooMuch && !this.over) throw new Error(`too much is kept: ${JSON.stringify(inside)}`);
  }

  /** Where ftpseal itself waits for the server, something ends the wait. */
  #checkWaits(session: Session): void {
    const timer = WAITS[session.phase];
    if (timer !== undefined && !this.#timers.has(timer))
      throw new Error(`${session.phase} without an end: the timer ${timer} does not run`);
    const { due } = insideOf(session);
    if (due !== undefined && !this.over && !this.#timers.has('answer'))
      throw new Error(`${due} without an end: the timer answer does not run`);
  }
}
