// One session of the server proxy, from accept to close: socket events into the session's events, its effects into socket
// calls. It decides nothing but whether a data connection belongs to this control connection.
import type { Socket } from 'node:net';
import { Fault } from '../../shared/fault.js';
import type { ServerFact } from '../ftp/effects.js';
import type { ChannelId } from '../ftp/events.js';
import { reportsOf } from '../relay/channel-reports.js';
import type { ClientDataPorts } from '../relay/client-data-ports.js';
import { openBlocks } from '../relay/block-link.js';
import { NamedTimers } from '../relay/named-timers.js';
import { ServerControl } from '../relay/server-control.js';
import type { ProvableStream } from '../relay/server-leg.js';
import { StepQueue } from '../relay/step-queue.js';
import { ClientControl } from './client-control.js';
import { ServeChannel } from './data-channel.js';
import type { HandshakeTurns } from './handshake-turns.js';
import type { ServeEffect, ServeEvent, ServeTimer } from './session/events.js';
import { SAFETP_CIPHERS, SAFETP_LABEL, type ServeContext, type ServeView } from './session/policy.js';
import { ServeSession } from './session/serve-session.js';
import { acceptTls, type ClientProof, type TlsTerms } from './tls-server.js';

/** Bytes waiting for a slow peer before the other side is no longer read. */
const HIGH_WATER = 65_536;

export interface ServeDriverOptions {
  readonly client: Socket;
  readonly context: ServeContext;
  /** Undefined where TLS is not offered. */
  readonly terms: TlsTerms | undefined;
  readonly turns: HandshakeTurns;
  /** A data connection must resume the session of its control connection. */
  readonly requireSessionReuse: boolean;
  readonly dataPorts: ClientDataPorts;
  /** Opens the control connection to the backend; rejects with a Fault. */
  readonly dial: () => Promise<Socket>;
  readonly remember: (fact: ServerFact) => void;
  readonly onSecured: (protection: ClientProtection) => void;
  readonly onEnd: (reason: string, view: ServeView) => void;
}

/** How a client is protected, for the log. */
export type ClientProtection = Pick<ClientProof, 'protocol' | 'cipher' | 'certificate'>;

/** `close()` may be called at any time; `onEnd` is called exactly once. */
export class ServeDriver {
  readonly #options: ServeDriverOptions;
  readonly #session: ServeSession;
  readonly #client: ClientControl;
  readonly #backend: ServerControl;
  readonly #timers = new NamedTimers<ServeTimer>((timer) => {
    this.#dispatch({ kind: 'timer', timer });
  });
  readonly #channels = new Map<ChannelId, ServeChannel>();
  /** Channels whose data goes in protected blocks instead of TLS. */
  readonly #blocks = new Map<ChannelId, Extract<ServeEffect, { readonly kind: 'useBlocks' }>>();
  readonly #steps = new StepQueue<ServeEvent>((event) => {
    this.#run(this.#session.step(event));
  });
  #proof: ClientProof | undefined;
  #ended = false;
  /** Why the client's side ended, if it did. */
  #reason = 'the session ended';

  constructor(options: ServeDriverOptions) {
    this.#options = options;
    this.#session = new ServeSession(options.context);
    this.#client = new ClientControl({
      socket: options.client,
      onBytes: (bytes) => {
        this.#dispatch({ kind: 'clientBytes', bytes });
      },
      onSecured: (proof) => {
        this.#proof = proof;
        options.onSecured(proof);
        this.#dispatch({ kind: 'clientSecured' });
      },
      onClosed: (how, reason) => {
        this.#reason = reason;
        if (how === 'lost') this.#end(reason);
        else this.#dispatch({ kind: 'clientClosed' });
      },
      onDrain: this.#regulate,
    });
    this.#backend = new ServerControl({
      host: options.context.backend.address,
      minVersion: 'TLSv1.3',
      onEvent: (event) => {
        if (event.kind !== 'tlsEstablished' && event.kind !== 'tlsFailed' && event.kind !== 'decided')
          this.#dispatch(event);
      },
      onDrain: this.#regulate,
    });
  }

  start(): void {
    this.#client.start();
    this.#run(this.#session.start());
  }

  /** Ends the session now, whatever is under way. */
  close(reason: string): void {
    this.#client.reset();
    this.#end(reason);
  }

  /** Nothing is under way that would be lost with the session. */
  get atRest(): boolean {
    return this.#session.atRest;
  }

  #dispatch(event: ServeEvent): void {
    if (this.#ended) return;
    if (this.#steps.push(event)) this.#regulate();
  }

  #run(effects: readonly ServeEffect[]): void {
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: ServeEffect): void {
    switch (effect.kind) {
      case 'dial':
        this.#backend.connect(this.#options.dial());
        break;
      case 'hangUpServer':
        this.#backend.drop();
        break;
      case 'sendClient':
        this.#client.send(effect.bytes);
        break;
      case 'sendServer':
        this.#backend.send(effect.bytes);
        break;
      case 'secureClient':
        this.#secureClient();
        break;
      case 'linesSecured':
        this.#options.onSecured({ protocol: SAFETP_LABEL, cipher: SAFETP_CIPHERS, certificate: undefined });
        break;
      case 'awaitTurn':
        this.#options.turns.take(() => {
          this.#dispatch({ kind: 'turn' });
        });
        break;
      case 'close':
        this.#end(this.#reason);
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

  #performOnChannel(effect: Extract<ServeEffect, { readonly channel: ChannelId }>): void {
    const channel = this.#channel(effect.channel);
    switch (effect.kind) {
      case 'listenForClient':
        channel.listenForClient();
        break;
      case 'connectClient':
        channel.connectClient(effect.to);
        break;
      case 'connectServer':
        channel.connectServer(effect.to);
        break;
      case 'listenForServer':
        channel.listenForServer();
        break;
      case 'useBlocks':
        this.#blocks.set(effect.channel, effect);
        break;
      case 'relay':
        channel.relay(effect.direction, effect.protection);
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

  #channel(id: ChannelId): ServeChannel {
    const known = this.#channels.get(id);
    if (known !== undefined) return known;
    const { context, dataPorts } = this.#options;
    const channel = new ServeChannel({
      owner: { server: context.backend, client: context.client, uid: undefined, forwarded: false },
      ports: dataPorts,
      secure: (raw) => this.#secureLeg(id, raw),
      backendAddress: () => this.#backend.localAddress,
      ...reportsOf(id, (event) => {
        this.#dispatch(event);
      }),
    });
    this.#channels.set(id, channel);
    return channel;
  }

  /**
   * A data connection proves by resuming the session that it comes from the client of the control connection; where that is not
   * required, a client that showed a certificate has to show the same one.
   */
  async #secureLeg(channel: ChannelId, raw: Socket): Promise<ProvableStream> {
    const blocks = this.#blocks.get(channel);
    if (blocks !== undefined) return openClientBlocks(raw, blocks);
    if (this.#options.terms === undefined) throw new Fault('internal', 'there is no TLS here');
    const accepted = acceptTls(raw, this.#options.terms);
    const proof = await accepted.established;
    if (proof.resumed) return accepted;
    if (this.#options.requireSessionReuse) {
      accepted.reset();
      throw new Fault(
        'network',
        'it must resume the TLS session of the control connection (session reuse is required here)',
      );
    }
    if (proof.certificate !== this.#proof?.certificate) {
      accepted.reset();
      throw new Fault('network', 'it must show the certificate of the control connection');
    }
    return accepted;
  }

  #secureClient(): void {
    const { terms } = this.#options;
    if (terms === undefined) this.close('TLS is not offered here');
    else this.#client.secure(terms);
  }

  /** Back-pressure between the two control connections. */
  readonly #regulate = (): void => {
    if (this.#ended) return;
    const backend = this.#backend.stream;
    const mayTakeMore = (backend?.writableLength ?? 0) < HIGH_WATER;
    this.#client.setReading(this.#session.wantsClient && mayTakeMore);
    const mayRead = this.#client.stream.writableLength < HIGH_WATER;
    if (backend?.isPaused() !== mayRead) return;
    if (mayRead) backend.resume();
    else backend.pause();
  };

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timers.clearAll();
    for (const channel of this.#channels.values()) channel.discard();
    this.#client.close();
    this.#backend.drop();
    this.#options.onEnd(reason, this.#session.view());
  }
}

/** Seen from here a client's download is what this side sends, and ends by a block. */
function openClientBlocks(
  raw: Socket,
  { blocks, direction }: Extract<ServeEffect, { readonly kind: 'useBlocks' }>,
): ProvableStream {
  return openBlocks(raw, { blocks, direction: direction === 'download' ? 'upload' : 'download' });
}
