// How a transfer gets its data channel: from the client's request for a data port, over the forms that the server may know, to the
// moment at which the transfer command can be sent. What happens on the channel then is transfer.ts.
import { familyOf, type Endpoint } from '../../shared/endpoint.js';
import { formatEprtArgument, formatPortArgument } from './addresses.js';
import { channelReply, newChannel, upstreamNamedBy, type Channel, type ClientSide } from './channel.js';
import type { Command } from './command-reader.js';
import type { Control } from './control.js';
import type { LegProtection } from './effects.js';
import type { ChannelId } from './events.js';
import { replyClass, type Reply } from './reply-reader.js';
import { ownReply, sentences } from './sentences.js';
import { UpstreamForms, type UpstreamForm } from './upstream-forms.js';

interface Setup {
  readonly channel: Channel;
  readonly forms: UpstreamForm[];
  /** The client's command that asked, or the transfer command that found no channel. */
  readonly then:
    | { readonly kind: 'reply'; readonly text: string }
    | { readonly kind: 'transfer'; readonly command: Command };
  upstreamReady: boolean;
  firstRefusal: Reply | undefined;
}

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'setup'; readonly setup: Setup }
  | { readonly kind: 'ready'; readonly channel: Channel }
  /** The transfer command waits until the server's port has been reached. */
  | { readonly kind: 'reaching'; readonly channel: Channel; readonly command: Command };

const NONE: State = { kind: 'none' };
/** Replies after which no other form of data connection will fare better. */
const HOPELESS: readonly number[] = [421, 530, 532];

/** Sends the transfer command; from then on the channel is the transfer's. */
export type Run = (channel: Channel, command: Command) => void;

/** At most one channel at a time, from its first effect until `run` or `drop`. */
export class Arrangement {
  readonly #control: Control;
  readonly #run: Run;
  #state: State = NONE;
  #channels = 0;
  readonly forms: UpstreamForms;
  /** The level for the legs towards the server, kept up to date by the session. */
  legProtection: LegProtection = 'private';

  constructor(control: Control, run: Run) {
    this.#control = control;
    this.#run = run;
    this.forms = new UpstreamForms(control);
  }

  /** A data port is being arranged: nothing else may be sent. */
  get underWay(): boolean {
    return this.#state.kind === 'setup' || this.#state.kind === 'reaching';
  }

  /** The client asked for a data port. `text` is the reply for clients that listen themselves. */
  setUp(client: ClientSide, text: string): void {
    this.drop();
    this.#begin(client, { kind: 'reply', text });
  }

  /** The client sent a transfer command and nothing else is outstanding. */
  request(command: Command): void {
    if (this.#state.kind !== 'ready') {
      this.drop();
      this.#begin({ kind: 'active', to: this.#control.context.client }, { kind: 'transfer', command });
      return;
    }
    const { channel } = this.#state;
    if (channel.serverFailed) this.#retry(channel, command);
    else if (channel.upstream !== undefined && !channel.serverReached && this.forms.unproven)
      this.#state = { kind: 'reaching', channel, command };
    else this.#hand(channel, command);
  }

  /** The transfer was refused before it began: the client may use the same port for another one. */
  keep(channel: Channel): void {
    channel.refusedOnce = true;
    this.#state = { kind: 'ready', channel };
  }

  /** Lets go of whatever there is; no reply is given. */
  drop(): void {
    const channel = this.#channel;
    this.#state = NONE;
    if (channel !== undefined) this.#control.outbox.emit({ kind: 'discard', channel: channel.id });
  }

  get #channel(): Channel | undefined {
    if (this.#state.kind === 'none') return undefined;
    return this.#state.kind === 'setup' ? this.#state.setup.channel : this.#state.channel;
  }

  #begin(client: ClientSide, then: Setup['then']): void {
    const channel = newChannel((this.#channels += 1) as ChannelId, client);
    this.#arrange(channel, this.forms.inOrder(client), then);
  }

  #hand(channel: Channel, command: Command): void {
    this.#state = NONE;
    this.#run(channel, command);
  }

  // The server's side

  #arrange(channel: Channel, forms: UpstreamForm[], then: Setup['then']): void {
    const setup: Setup = { channel, forms, then, upstreamReady: false, firstRefusal: undefined };
    this.#state = { kind: 'setup', setup };
    if (channel.client.kind === 'passive' && channel.offered === undefined)
      this.#control.outbox.emit({ kind: 'listenForClient', channel: channel.id });
    this.#nextForm(setup);
  }

  #nextForm(setup: Setup): void {
    const form = setup.forms[0];
    if (form === undefined) {
      this.#giveUp(setup.channel, 'the server named none', setup.firstRefusal);
    } else if (form === 'ACTIVE') {
      this.#control.outbox.emit({
        kind: 'listenForServer',
        channel: setup.channel.id,
        protection: this.legProtection,
      });
    } else {
      this.#control.sendOwn(form, 'setup');
    }
  }

  #giveUp(channel: Channel, reason: string, refusal?: Reply): void {
    this.#control.outbox.emit({ kind: 'discard', channel: channel.id });
    this.#state = NONE;
    this.#control.outbox.toClient(refusal?.raw ?? Buffer.from(ownReply(425, sentences.noDataPort(reason))));
  }

  /** The reply to our EPSV, PASV, PORT or EPRT. */
  onSetupReply(reply: Reply): void {
    if (this.#state.kind !== 'setup' || replyClass(reply.code) === 1) return;
    const { setup } = this.#state;
    const form = setup.forms.shift();
    if (form === undefined) return;
    const ready =
      form === 'ACTIVE' ? replyClass(reply.code) === 2 : this.#takePassive(setup.channel, form, reply);
    if (ready) {
      if (form === 'ACTIVE') setup.channel.upstream = undefined;
      setup.upstreamReady = true;
      this.#finish(setup);
      return;
    }
    setup.firstRefusal ??= replyClass(reply.code) >= 4 ? reply : undefined;
    if (HOPELESS.includes(reply.code)) setup.forms.length = 0;
    else if (form === 'EPSV' && replyClass(reply.code) === 5) this.forms.forgetEpsv();
    this.#nextForm(setup);
  }

  #takePassive(channel: Channel, form: 'EPSV' | 'PASV', reply: Reply): boolean {
    const { server, policy } = this.#control.context;
    const to = upstreamNamedBy(form, reply, server, policy.data.allowForeignAddress);
    if (to !== undefined) this.#connectServer(channel, to);
    return to !== undefined;
  }

  #connectServer(channel: Channel, to: Endpoint): void {
    channel.upstream = to;
    channel.serverReached = false;
    this.#control.outbox.emit({
      kind: 'connectServer',
      channel: channel.id,
      to,
      protection: this.legProtection,
    });
  }

  /** A server leg that broke: dial again where a refused transfer closed it, else let the server dial us. */
  #retry(channel: Channel, command: Command): void {
    channel.serverFailed = false;
    if (channel.refusedOnce && channel.upstream !== undefined) {
      this.#connectServer(channel, channel.upstream);
      this.#hand(channel, command);
    } else {
      this.#arrange(channel, this.forms.afterFailure(), { kind: 'transfer', command });
    }
  }

  #finish(setup: Setup): void {
    const { channel, then } = setup;
    if (!setup.upstreamReady || (channel.client.kind === 'passive' && channel.offered === undefined)) return;
    this.#state = { kind: 'ready', channel };
    if (then.kind === 'transfer') this.request(then.command);
    else this.#control.outbox.toClient(channelReply(channel, then.text));
  }

  // What the driver reports

  onClientListening(id: ChannelId, endpoint: Endpoint): void {
    if (this.#state.kind !== 'setup' || this.#state.setup.channel.id !== id) return;
    this.#state.setup.channel.offered = endpoint;
    this.#finish(this.#state.setup);
  }

  onClientConnected(id: ChannelId): void {
    const channel = this.#channel;
    if (channel?.id === id) channel.clientConnected = true;
  }

  onServerListening(id: ChannelId, endpoint: Endpoint): void {
    if (this.#state.kind !== 'setup' || this.#state.setup.channel.id !== id) return;
    if (this.#state.setup.forms[0] !== 'ACTIVE') return;
    const v4 = familyOf(endpoint.address) === 4;
    this.#control.sendOwn(
      v4 ? `PORT ${formatPortArgument(endpoint)}` : `EPRT ${formatEprtArgument(endpoint)}`,
      'setup',
    );
  }

  /** The server's port was reached, for the channel here. */
  onServerReached(id: ChannelId): void {
    const channel = this.#channel;
    if (channel?.id !== id) return;
    channel.serverReached = true;
    this.forms.reached();
    if (this.#state.kind === 'reaching') this.#hand(channel, this.#state.command);
  }

  /** A leg is not to be had. */
  onChannelFailed(id: ChannelId, leg: 'client' | 'server', reason: string): void {
    const state = this.#state;
    if (this.#channel?.id !== id) return;
    if (state.kind === 'reaching') this.#onUnreachable(state.channel, state.command, leg, reason);
    else if (state.kind === 'ready' && leg === 'server') this.#noteServerFailed(state.channel);
    else if (state.kind === 'setup') this.#onSetupFailed(state.setup, leg, reason);
  }

  #onSetupFailed(setup: Setup, leg: 'client' | 'server', reason: string): void {
    // The server's port is dialled early; a transfer that needs it will say what became of it.
    if (leg === 'server' && setup.upstreamReady) this.#noteServerFailed(setup.channel);
    // Otherwise a line sent with sendSetup may still be unanswered; its reply finds no set-up and is dropped.
    else this.#giveUp(setup.channel, reason, setup.firstRefusal);
  }

  #noteServerFailed(channel: Channel): void {
    channel.serverFailed = true;
    if (channel.upstream !== undefined && !channel.serverReached) this.forms.unreachable();
  }

  #onUnreachable(channel: Channel, command: Command, leg: 'client' | 'server', reason: string): void {
    if (leg === 'client' || this.forms.epsvAll) {
      this.#giveUp(channel, reason);
      return;
    }
    this.#noteServerFailed(channel);
    this.#retry(channel, command);
  }
}
