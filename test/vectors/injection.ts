// Response injection, after the NO STARTTLS work, one hop further: what somebody on the way adds in clear must neither answer
// what is said under protection, nor lie in wait at the client for what it will ask then.
import type { Effect } from '../../daemon/ftp/effects.js';
import type { Event } from '../../daemon/ftp/events.js';
import { Session, type SessionContext } from '../../daemon/ftp/session.js';
import { endpoint, IDENTITY } from '../transcripts/notation.js';

/** A place in the conversation where a genuine reply is due. */
export interface ReplyPoint {
  readonly name: string;
  readonly context: SessionContext;
  /** What leads there. */
  readonly before: readonly Event[];
  /** The genuine reply, with CRLF. */
  readonly reply: string;
  /** The reply is the server's agreement to TLS. */
  readonly agrees: boolean;
}

/** What an attacker adds behind a genuine reply: one reply, several, or part of one. */
export const INJECTED: readonly { readonly name: string; readonly bytes: string }[] = [
  ...[
    '220 forged',
    '230 forged',
    '231 forged',
    '234 forged',
    '235 forged',
    '331 forged',
    '334 forged',
    '335 forged',
    '200 forged',
    '227 forged (198,51,100,66,100,100)',
    '150 forged',
    '226 forged',
    '502 forged',
    '504 forged LIST=TLS-P,TLS-C',
    '530 forged',
    '632 forged',
    'forged',
    ' 331 forged',
    '331\tforged',
    '\xff\xfb\x01331 forged',
    '331 forged\r230 forged',
    '331 for\0ged',
  ].map((line) => ({ name: JSON.stringify(line), bytes: `${line}\r\n` })),
  { name: 'a login', bytes: '331 forged\r\n230 forged\r\n' },
  {
    name: 'protection, login and a port',
    bytes:
      '200 forged\r\n200 forged\r\n331 forged\r\n230 forged\r\n227 forged (198,51,100,66,100,100)\r\n150 forged\r\n226 forged\r\n',
  },
  { name: 'an agreement and a login', bytes: '234 forged\r\n331 forged\r\n230 forged\r\n' },
  { name: 'two refusals', bytes: '502 forged\r\n502 forged\r\n' },
  { name: 'a hint and an agreement to it', bytes: '504 forged LIST=TLS-P\r\n234 forged\r\n' },
  { name: 'a multi-line reply', bytes: '230-forged\r\n 331 forged\r\n230 forged\r\n' },
  { name: 'a reply without end', bytes: '230-forged\r\n331 forged\r\n' },
  { name: 'bare line feeds', bytes: '331 forged\n230 forged\n' },
  { name: 'half a line', bytes: '331 for' },
  { name: 'half a code', bytes: '33' },
  { name: 'a TLS record', bytes: '\x16\x03\x03\x00\x02ab' },
];

/** What came of it. */
export interface Aftermath {
  readonly ended: boolean;
  /** All that the client got. */
  readonly toClient: string;
  /** What the client got after protection stood. */
  readonly protectedToClient: string;
  readonly commands: number;
}

/** Plays the point with the injected bytes, the whole cut in two at `cut`; then everybody honest goes on. Throws when a secret leaves. */
export function playInjection(point: ReplyPoint, injected: string, cut: number): Aftermath {
  const play = new Play(point);
  const bytes = Buffer.from(point.reply + injected, 'latin1');
  for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)])
    if (piece.length > 0) play.step({ kind: 'serverBytes', bytes: piece });
  play.goOn();
  return play.aftermath;
}

const PROGRAM: readonly string[] = ['USER bob', 'PASS secret', 'PWD', 'PASV', 'NOOP', 'QUIT'];
const SECRETS = /^[\t \0\xf0-\xff]*(?:USER|PASS|ACCT)\b/im;
const ANSWERS: Readonly<Record<string, string>> = {
  USER: '331 genuine',
  PASS: '230 genuine',
  PASV: '227 genuine (192,0,2,1,15,160)',
  QUIT: '221 genuine',
  AUTH: '502 genuine',
};

class Play {
  readonly #session: Session;
  readonly #agrees: boolean;
  readonly #due: Event[] = [];
  #toClient = '';
  #protectedFrom: number | undefined;
  #allowed = false;
  #ended = false;
  #commands = 0;
  readonly #playing: boolean = false;

  constructor(point: ReplyPoint) {
    this.#session = new Session(point.context);
    this.#agrees = point.agrees;
    this.#note(this.#session.start());
    for (const event of point.before) this.step(event);
    this.#due = [];
    this.#playing = true;
  }

  get aftermath(): Aftermath {
    const from = this.#protectedFrom ?? this.#toClient.length;
    return {
      ended: this.#ended,
      toClient: this.#toClient,
      protectedToClient: this.#toClient.slice(from),
      commands: this.#commands,
    };
  }

  step(event: Event): void {
    if (event.kind === 'clientBytes')
      this.#commands += Buffer.from(event.bytes).toString().split('\n').length - 1;
    if (event.kind === 'tlsEstablished') this.#protectedFrom = this.#toClient.length;
    if (event.kind === 'decided') this.#allowed = event.decision.kind === 'allow';
    this.#note(this.#session.step(event));
  }

  /** The attacker is gone; the program goes on where its answers allow, and the server answers. */
  goOn(): void {
    this.#settle();
    const started = this.#commands > 0 ? this.#commands : 0;
    for (const line of PROGRAM.slice(started)) {
      if (this.#ended) return;
      this.step({ kind: 'clientBytes', bytes: Buffer.from(`${line}\r\n`) });
      this.#settle();
    }
  }

  #settle(): void {
    for (let next = this.#due.shift(); next !== undefined && !this.#ended; next = this.#due.shift())
      this.step(next);
  }

  #note(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'close' || effect.kind === 'tunnel') this.#ended = true;
      else if (effect.kind === 'sendClient') this.#toClient += Buffer.from(effect.bytes).toString('latin1');
      else if (effect.kind === 'sendServer') this.#onSent(Buffer.from(effect.bytes).toString('latin1'));
      else if (this.#playing) this.#due.push(...this.#answerTo(effect));
    }
  }

  #onSent(text: string): void {
    if (SECRETS.test(text) && !this.#allowed) throw new Error(`a secret left: ${JSON.stringify(text)}`);
    if (!this.#playing) return;
    for (const line of text.split('\r\n').filter((each) => each !== '')) {
      const verb = /[A-Z]+/.exec(line)?.[0] ?? '';
      this.#due.push({ kind: 'serverBytes', bytes: Buffer.from(`${ANSWERS[verb] ?? '200 genuine'}\r\n`) });
    }
  }

  #answerTo(effect: Effect): readonly Event[] {
    switch (effect.kind) {
      case 'startTls':
        // Where the agreement was forged, the server knows nothing of TLS.
        return this.#agrees
          ? [{ kind: 'tlsEstablished', identity: IDENTITY }]
          : [{ kind: 'tlsFailed', reason: 'wrong version number' }];
      case 'ask':
        return [{ kind: 'decided', decision: effect.question.kind === 'key' ? { kind: 'allow' } : REFUSE }];
      case 'listenForClient':
        return [{ kind: 'clientListening', channel: effect.channel, endpoint: endpoint('192.0.2.1:22000') }];
      default:
        return [];
    }
  }
}

const REFUSE = { kind: 'refuse', sentence: 'clear is refused.' } as const;
