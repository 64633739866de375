// A session, a client's hand and a server of the compliance suite; runs until nobody has anything to say.
import type { Effect } from '../../daemon/ftp/effects.js';
import type { ChannelId, Event } from '../../daemon/ftp/events.js';
import { Session, type SessionContext } from '../../daemon/ftp/session.js';
import { DEFAULT_CONTEXT, endpoint } from './context.js';
import { TestServer, type Securing } from './server.js';

export interface WorldOptions {
  /** The decision on every question. */
  readonly decide?: 'allow' | 'refuse' | 'wait';
  readonly context?: Partial<SessionContext>;
  /** What the server answers to these verbs, or whole AUTH lines. */
  readonly answers?: Readonly<Record<string, string>>;
  /** What a man in the middle makes of the server's bytes; the index counts what the server sends. */
  readonly middle?: (bytes: Buffer, index: number) => Buffer;
}

export class World {
  readonly session: Session;
  readonly server: TestServer;
  readonly effects: Effect[] = [];
  readonly #options: WorldOptions;
  #sent = 0;

  constructor(securing: Securing, options: WorldOptions = {}) {
    const { policy } = DEFAULT_CONTEXT;
    const tls = { ...policy.tls, mechanisms: ['TLS', 'X-SafeTP1'] };
    const context = {
      ...DEFAULT_CONTEXT,
      dataPath: 'proxied' as const,
      policy: { ...policy, tls },
      ...options.context,
    };
    this.session = new Session(context);
    this.server = new TestServer(securing, options.answers);
    this.#options = options;
    this.#run(this.session.start());
    this.event({ kind: 'serverConnected' });
    this.event(this.server.greet());
  }

  /** The client's program sends lines, each with CRLF. */
  say(...lines: readonly string[]): void {
    for (const line of lines)
      this.event({ kind: 'clientBytes', bytes: Buffer.from(`${line}\r\n`, 'latin1') });
  }

  event(event: Event): void {
    this.#run(this.session.step(event));
  }

  /** All that the client's program was told. */
  get heard(): string {
    return this.effects
      .flatMap((effect) =>
        effect.kind === 'sendClient' ? [Buffer.from(effect.bytes).toString('latin1')] : [],
      )
      .join('');
  }

  /** All bytes that went to the server, as they went. */
  get wire(): string {
    return this.effects
      .flatMap((effect) =>
        effect.kind === 'sendServer' ? [Buffer.from(effect.bytes).toString('latin1')] : [],
      )
      .join('');
  }

  has(kind: Effect['kind']): boolean {
    return this.effects.some((effect) => effect.kind === kind);
  }

  /** The data connection that was asked for, as soon as both its ends stand. */
  openChannel(id = 1): void {
    const channel = id as ChannelId;
    this.event({ kind: 'clientListening', channel, endpoint: endpoint('192.0.2.9:40001') });
    this.event({ kind: 'clientConnected', channel });
    this.event({ kind: 'serverReached', channel });
  }

  #run(effects: readonly Effect[]): void {
    this.effects.push(...effects);
    const events = effects.flatMap((effect) => [...this.server.on(effect), ...this.#decision(effect)]);
    for (const event of events) this.event(this.#edited(event));
  }

  #edited(event: Event): Event {
    if (event.kind !== 'serverBytes') return event;
    const bytes = this.#options.middle?.(Buffer.from(event.bytes), this.#sent) ?? event.bytes;
    this.#sent += 1;
    return { kind: 'serverBytes', bytes };
  }

  #decision(effect: Effect): readonly Event[] {
    const { decide = 'allow' } = this.#options;
    if (effect.kind !== 'ask' || decide === 'wait') return [];
    if (decide === 'refuse')
      return [{ kind: 'decided', decision: { kind: 'refuse', sentence: 'not trusted' } }];
    return [{ kind: 'decided', decision: { kind: 'allow' } }];
  }
}
