// Turns socket events into the core's events and the core's effects into socket calls. It decides nothing: every rule is
// in daemon/ftp.
import type { Socket } from 'node:net';
import { Fault } from '../../shared/fault.js';
import type { Port } from '../../shared/endpoint.js';
import type { Decision, Question } from '../../shared/trust.js';
import type { Effect, ServerFact } from '../ftp/effects.js';
import type { ChannelId, Event, TimerName } from '../ftp/events.js';
import { Session, type SessionContext, type SessionView } from '../ftp/session.js';
import { openBlocks } from './block-link.js';
import { reportsOf } from './channel-reports.js';
import type { ClientDataPorts, DataOwner } from './client-data-ports.js';
import { DataChannel, secureFromBegin, type DataChannelOptions, type Securing } from './data-channel.js';
import { relayRaw } from './raw-relay.js';
import { resetSocket } from './reset-socket.js';
import { NamedTimers } from './named-timers.js';
import { LINGER_MS, ServerControl } from './server-control.js';
import { KEEP_ALIVE_MS } from './silence-limit.js';
import { StepQueue } from './step-queue.js';
import type { SourcePorts } from '../sys/source-ports.js';

/** Bytes waiting for a slow peer before the other side is no longer read. */
const HIGH_WATER = 65_536;
export interface SessionDriverOptions {
  readonly client: Socket;
  readonly context: SessionContext;
  readonly owner: DataOwner;
  readonly dataPorts: ClientDataPorts;
  /** Where data connections to the server come from; undefined: any port. */
  readonly dataSourcePorts: SourcePorts | undefined;
  /** PEM certificates of authorities that are trusted besides the machine's. */
  readonly authorities: string | undefined;
  /** Bytes that the client sent before the session began (explicit proxy). */
  readonly early: Uint8Array;
  /** Opens the control connection to the server; rejects with a Fault. */
  readonly dial: (port: Port) => Promise<Socket>;
  /** `named`: what the session knows the server by. */
  readonly judge: (question: Question, named: Pick<SessionView, 'name' | 'nameFrom'>) => Promise<Decision>;
  readonly remember: (fact: ServerFact) => void;
  readonly onChange: (view: SessionView) => void;
  readonly onBytes: (count: number, direction: 'download' | 'upload') => void;
  readonly onEnd: (reason: string) => void;
}

/** One session from accept to close. `close()` may be called at any time; `onEnd` is called exactly once. */
export class SessionDriver {
  readonly #options: SessionDriverOptions;
  readonly #session: Session;
  readonly #timers = new NamedTimers<TimerName>((timer) => {
    this.#dispatch({ kind: 'timer', timer });
  });
  readonly #channels = new Map<ChannelId, DataChannel>();
  /** Channels whose data goes in protected blocks instead of TLS. */
  readonly #blocks = new Map<ChannelId, Extract<Effect, { readonly kind: 'useBlocks' }>>();
  readonly #steps = new StepQueue<Event>((event) => {
    this.#run(this.#session.step(event));
  });
  readonly #server: ServerControl;
  #ended = false;
  /** The server's socket once it is relayed byte for byte. */
  #tunnelled: Socket | undefined;

  constructor(options: SessionDriverOptions) {
    this.#options = options;
    this.#session = new Session(options.context);
    const { server, policy } = options.context;
    this.#server = new ServerControl({
      host: server.address,
      minVersion: policy.tls.minVersion,
      authorities: options.authorities,
      onEvent: (event) => {
        this.#dispatch(event);
      },
      onDrain: this.#regulate,
    });
  }

  start(): void {
    const { client, early } = this.#options;
    client.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    client.on('data', this.#onClientData);
    client.on('end', this.#onClientGone);
    client.on('error', this.#onClientLost);
    client.on('close', this.#onClientLost);
    client.on('drain', this.#regulate);
    this.#run(this.#session.start());
    if (early.length > 0) this.#dispatch({ kind: 'clientBytes', bytes: early });
    client.resume();
  }

  /**
   * Ends the session now, for ftpseal itself. The client is reset, not merely told the end: once the redirect is gone, what it
   * still sends on a half-closed connection would reach the real server in clear.
   */
  close(reason: string): void {
    resetSocket(this.#options.client);
    if (this.#tunnelled !== undefined) resetSocket(this.#tunnelled);
    this.#end(reason);
  }

  /** Nothing is under way that would be lost with the session; what is only relayed may always be in the middle of something. */
  get atRest(): boolean {
    const { phase, atRest } = this.#session;
    return phase !== 'tunnel' && phase !== 'passthrough' && atRest;
  }

  get view(): SessionView {
    return this.#session.view();
  }

  #dispatch(event: Event): void {
    if (this.#ended) return;
    if (this.#steps.push(event)) this.#afterStep();
  }

  #afterStep(): void {
    if (this.#ended) return;
    this.#regulate();
    this.#options.onChange(this.#session.view());
  }

  #run(effects: readonly Effect[]): void {
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'dial':
        this.#server.connect(this.#options.dial(effect.port));
        break;
      case 'hangUpServer':
        this.#server.drop();
        break;
      case 'sendClient':
        this.#options.client.write(effect.bytes);
        break;
      case 'sendServer':
        this.#server.send(effect.bytes);
        break;
      case 'startTls':
        this.#options.remember('tlsBegan');
        this.#server.startTls(effect.servername);
        break;
      case 'ask':
        this.#ask(effect.question);
        break;
      case 'tunnel':
        this.#tunnel();
        break;
      case 'close':
        this.#end('the session ended');
        break;
      case 'setTimer':
        this.#timers.set(effect.timer, effect.ms);
        break;
      case 'clearTimer':
        this.#timers.clear(effect.timer);
        break;
      case 'remember':
        this.#options.remember(effect.fact);
        break;
      default:
        this.#performOnChannel(effect);
    }
  }

  #performOnChannel(effect: Extract<Effect, { readonly channel: ChannelId }>): void {
    const channel = this.#channel(effect.channel);
    switch (effect.kind) {
      case 'listenForClient':
        channel.listenForClient();
        break;
      case 'connectClient':
        channel.connectClient(effect.to);
        break;
      case 'connectServer':
        channel.connectServer(effect.to, effect.protection);
        break;
      case 'listenForServer':
        channel.listenForServer(effect.protection);
        break;
      case 'useBlocks':
        this.#blocks.set(effect.channel, effect);
        break;
      case 'secureSoon':
        channel.secureSoon();
        break;
      case 'relay':
        channel.relay(effect.direction);
        break;
      case 'expectEnd':
        channel.expectEnd();
        break;
      case 'discard':
        channel.discard();
        this.#channels.delete(effect.channel);
        this.#blocks.delete(effect.channel);
        break;
    }
  }

  // The client's connection

  readonly #onClientData = (bytes: Buffer): void => {
    this.#dispatch({ kind: 'clientBytes', bytes });
  };

  readonly #onClientGone = (): void => {
    this.#dispatch({ kind: 'clientClosed' });
  };

  readonly #onClientLost = (): void => {
    this.#end('the client hung up');
  };

  /** Reads each side only while the other, and the core, can take more. */
  readonly #regulate = (): void => {
    const { client } = this.#options;
    const server = this.#server.stream;
    const wantsClient = this.#session.wantsClient && (server?.writableLength ?? 0) < HIGH_WATER;
    if (wantsClient !== !client.isPaused()) {
      if (wantsClient) client.resume();
      else client.pause();
    }
    if (server === undefined || this.#session.phase === 'handshaking') return;
    // An implicit server greets as soon as TLS stands; nothing of it is read before its key was judged.
    const wantsServer = client.writableLength < HIGH_WATER && this.#session.phase !== 'judgingKey';
    if (wantsServer !== !server.isPaused()) {
      if (wantsServer) server.resume();
      else server.pause();
    }
  };

  #ask(question: Question): void {
    this.#options.judge(question, this.#session.view()).then(
      (decision) => {
        this.#dispatch({ kind: 'decided', decision });
      },
      (error: unknown) => {
        this.#dispatch({
          kind: 'decided',
          decision: { kind: 'refuse', sentence: Fault.from(error).userMessage },
        });
      },
    );
  }

  // Data channels

  #channel(id: ChannelId): DataChannel {
    const known = this.#channels.get(id);
    if (known !== undefined) return known;
    const channel = new DataChannel(this.#channelOptions(id));
    this.#channels.set(id, channel);
    return channel;
  }

  #secureLeg(channel: ChannelId, raw: Socket): Securing {
    const blocks = this.#blocks.get(channel);
    if (blocks === undefined) return this.#server.secureLeg(raw);
    return secureFromBegin(() => Promise.resolve(openBlocks(raw, blocks)));
  }

  #channelOptions(channel: ChannelId): DataChannelOptions {
    const { owner, dataPorts, dataSourcePorts, onBytes } = this.#options;
    return {
      sourcePorts: dataSourcePorts,
      owner,
      ports: dataPorts,
      secure: (raw) => this.#secureLeg(channel, raw),
      upstreamAddress: () => this.#server.localAddress,
      ...reportsOf(channel, (event) => {
        this.#dispatch(event);
      }),
      onBytes,
    };
  }

  // Ways out

  #tunnel(): void {
    const { client, onBytes } = this.#options;
    const server = this.#server.release();
    if (server === undefined) return;
    this.#tunnelled = server;
    this.#clearTimers();
    client.on('error', () => undefined);
    client.off('data', this.#onClientData).off('end', this.#onClientGone).off('drain', this.#regulate);
    client.off('error', this.#onClientLost).off('close', this.#onClientLost);
    let open = 2;
    const onClose = (): void => {
      open -= 1;
      if (open === 0) this.#finish('the tunnel ended');
    };
    client.once('close', onClose);
    server.once('close', onClose);
    relayRaw(client, server, (up, down) => {
      if (up > 0) onBytes(up, 'upload');
      if (down > 0) onBytes(down, 'download');
    });
    this.#options.onChange(this.#session.view());
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clearTimers();
    for (const channel of this.#channels.values()) channel.discard();
    this.#channels.clear();
    const { client } = this.#options;
    client.off('end', this.#onClientGone);
    client.off('data', this.#onClientData);
    client.end();
    client.resume();
    setTimeout(() => client.destroy(), LINGER_MS).unref();
    this.#server.drop();
    this.#finish(reason);
  }

  #finish(reason: string): void {
    this.#ended = true;
    this.#options.onEnd(reason);
  }

  #clearTimers(): void {
    this.#timers.clearAll();
  }
}
