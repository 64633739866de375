// The transfer machine: from the client's request for a data port to the final reply.
import { familyOf, type Endpoint } from '../../shared/endpoint.js';
import { formatEprtArgument, formatPortArgument } from './addresses.js';
import { channelReply, newChannel, upstreamNamedBy, type Channel, type ClientSide } from './channel.js';
import type { Command } from './command-reader.js';
import type { Control } from './control.js';
import type { LegProtection } from './effects.js';
import type { ChannelId, ChannelOutcome } from './events.js';
import { replyClass, type Reply } from './reply-reader.js';
import { ownReply, sentences } from './sentences.js';
import { settleTransfer } from './state.js';
import { verdictOn } from './transfer-verdict.js';
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

interface Running {
  readonly channel: Channel;
  readonly direction: 'download' | 'upload';
  /** The server has accepted the transfer. */
  begun: boolean;
  outcome: ChannelOutcome | undefined;
  /** Preliminary replies to an upload that wait for the client's data connection. */
  early: Buffer[];
  final: Reply | undefined;
  aborted: boolean;
}

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'setup'; readonly setup: Setup }
  | { readonly kind: 'ready'; readonly channel: Channel }
  /** The transfer command waits until the server's port has been reached. */
  | { readonly kind: 'reaching'; readonly channel: Channel; readonly command: Command }
  | { readonly kind: 'running'; readonly running: Running };

const NONE: State = { kind: 'none' };
/** Replies after which no other form of data connection will fare better. */
const HOPELESS: readonly number[] = [421, 530, 532];

/** One session's transfers, one at a time. */
export class TransferMachine {
  readonly #control: Control;
  #state: State = NONE;
  #channels = 0;
  readonly forms: UpstreamForms;
  /** The level for the legs towards the server, kept up to date by the session. */
  legProtection: LegProtection = 'private';
  /** What PBSZ agreed on, where data goes in blocks. */
  bufferSize = 0;
  completed = 0;
  /** How many were reported as failed because their data did not come through whole. */
  cut = 0;

  constructor(control: Control) {
    this.#control = control;
    this.forms = new UpstreamForms(control);
  }

  /** A data port is being arranged: nothing else may be sent. */
  get settingUp(): boolean {
    return this.#state.kind === 'setup' || this.#state.kind === 'reaching';
  }

  /** The server's final reply is known, but its data has not ended. */
  get holding(): boolean {
    return this.#state.kind === 'running' && this.#state.running.final !== undefined;
  }

  // Arranging the data connection

  /** The client asked for a data port. `text` is the reply for clients that listen themselves. */
  setUp(client: ClientSide, text: string): void {
    this.drop();
    this.#begin(client, { kind: 'reply', text });
  }

  #begin(client: ClientSide, then: Setup['then']): void {
    const channel = newChannel((this.#channels += 1) as ChannelId, client);
    this.#arrange(channel, this.forms.inOrder(client), then);
  }

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
      this.#control.sendOwn(form, { kind: 'setup' });
    }
  }

  #giveUp(channel: Channel, reason: string, refusal?: Reply): void {
    this.#control.outbox.emit({ kind: 'discard', channel: channel.id });
    this.#state = NONE;
    this.#control.outbox.toClient(refusal?.raw ?? Buffer.from(ownReply(425, sentences.noDataPort(reason))));
  }

  /** A reply to a line sent with `sendSetup`. */
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

  onClientListening(id: ChannelId, endpoint: Endpoint): void {
    if (this.#state.kind !== 'setup' || this.#state.setup.channel.id !== id) return;
    this.#state.setup.channel.offered = endpoint;
    this.#finish(this.#state.setup);
  }

  /** The client's leg stands: an upload that waited for it may begin. */
  onClientConnected(id: ChannelId): void {
    const state = this.#state;
    if (state.kind === 'setup' && state.setup.channel.id === id) state.setup.channel.clientConnected = true;
    if ((state.kind === 'ready' || state.kind === 'reaching') && state.channel.id === id)
      state.channel.clientConnected = true;
    if (state.kind !== 'running' || state.running.channel.id !== id) return;
    state.running.channel.clientConnected = true;
    this.#releaseEarly(state.running);
  }

  /** The server's leg stands, as far as TCP goes. */
  onServerReached(id: ChannelId): void {
    const state = this.#state;
    if (state.kind === 'none') return;
    const { channel } =
      state.kind === 'setup' ? state.setup : state.kind === 'running' ? state.running : state;
    if (channel.id !== id) return;
    channel.serverReached = true;
    this.forms.reached();
    if (state.kind === 'reaching') this.#run(channel, state.command);
  }

  onServerListening(id: ChannelId, endpoint: Endpoint): void {
    if (this.#state.kind !== 'setup' || this.#state.setup.channel.id !== id) return;
    if (this.#state.setup.forms[0] !== 'ACTIVE') return;
    const v4 = familyOf(endpoint.address) === 4;
    this.#control.sendOwn(
      v4 ? `PORT ${formatPortArgument(endpoint)}` : `EPRT ${formatEprtArgument(endpoint)}`,
      { kind: 'setup' },
    );
  }

  #finish(setup: Setup): void {
    const { channel, then } = setup;
    if (!setup.upstreamReady || (channel.client.kind === 'passive' && channel.offered === undefined)) return;
    this.#state = { kind: 'ready', channel };
    if (then.kind === 'transfer') this.request(then.command);
    else this.#control.outbox.toClient(channelReply(channel, then.text));
  }

  /** A leg is not to be had: known before `relay` was asked for, afterwards the outcome tells. */
  onChannelFailed(id: ChannelId, leg: 'client' | 'server', reason: string): void {
    const state = this.#state;
    if (state.kind === 'reaching' && state.channel.id === id) {
      this.#onUnreachable(state.channel, state.command, leg, reason);
    } else if (state.kind === 'ready' && state.channel.id === id) {
      if (leg === 'server') this.#noteServerFailed(state.channel);
    } else if (state.kind === 'running' && state.running.channel.id === id) {
      if (leg === 'server') state.running.channel.serverFailed = true;
      state.running.outcome ??= { kind: 'legFailed', leg, reason };
    } else if (state.kind === 'setup' && state.setup.channel.id === id) {
      this.#onSetupFailed(state.setup, leg, reason);
    }
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

  // The transfer

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
    else this.#run(channel, command);
  }

  /** A server leg that broke: dial again where a refused transfer closed it, else let the server dial us. */
  #retry(channel: Channel, command: Command): void {
    channel.serverFailed = false;
    if (channel.refusedOnce && channel.upstream !== undefined) {
      this.#connectServer(channel, channel.upstream);
      this.#run(channel, command);
    } else {
      this.#arrange(channel, this.forms.afterFailure(), { kind: 'transfer', command });
    }
  }

  #run(channel: Channel, command: Command): void {
    const { direction } = command.info;
    const running: Running = {
      channel,
      direction,
      begun: false,
      outcome: undefined,
      early: [],
      final: undefined,
      aborted: false,
    };
    this.#state = { kind: 'running', running };
    const sequence = this.#control.send(command, { kind: 'transfer' });
    this.#useBlocks(running, sequence);
    if (this.legProtection === 'private')
      this.#control.outbox.emit({ kind: 'secureSoon', channel: channel.id });
  }

  /** Where lines are protected one by one, so is data, under the number of the line that asked for it. */
  #useBlocks({ channel, direction }: Running, sequence: number | undefined): void {
    const { lines, outbox, label } = this.#control;
    if (this.legProtection === 'clear' || lines === undefined || sequence === undefined) return;
    if (this.bufferSize === 0) {
      this.#control.fail(sentences.mechanismFailed(label, 'PROT without PBSZ'));
      return;
    }
    const blocks = lines.transfer(sequence, this.bufferSize);
    outbox.emit({ kind: 'useBlocks', channel: channel.id, blocks, direction });
  }

  /** A preliminary or final reply to the transfer command. */
  onTransferReply(reply: Reply): void {
    if (this.#state.kind !== 'running') {
      this.#control.outbox.toClient(reply.raw);
      return;
    }
    const { running } = this.#state;
    const kind = replyClass(reply.code);
    if (kind === 1) {
      this.#onPreliminary(running, reply);
      this.#startData(running);
    } else if (kind === 2) {
      this.#startData(running);
      running.final = reply;
      if (!running.aborted) this.expectEnd();
      this.#settle(running);
    } else {
      this.#refuse(running, reply);
    }
  }

  /**
   * The word to begin an upload waits for the client's data connection, as it does at most servers: should the redirect be gone,
   * the client is connected to whoever answers at the server's address, and would send its file there in clear.
   */
  #onPreliminary(running: Running, reply: Reply): void {
    const { channel, direction, early } = running;
    const unsafe = direction === 'upload' && channel.client.kind === 'passive' && !channel.clientConnected;
    if (!unsafe) {
      this.#control.outbox.toClient(reply.raw);
      return;
    }
    early.push(reply.raw);
    this.#control.outbox.hold();
  }

  #releaseEarly(running: Running): void {
    const { early, final } = running;
    if (early.length === 0) return;
    running.early = [];
    if (final === undefined) this.#control.outbox.release(Buffer.concat(early));
  }

  /** If data is under way: from now on a pause in it means that its end was lost. False if none is. */
  expectEnd(): boolean {
    if (this.#state.kind !== 'running' || !this.#state.running.begun) return false;
    const { channel, outcome } = this.#state.running;
    if (outcome !== undefined) return false;
    this.#control.outbox.emit({ kind: 'expectEnd', channel: channel.id });
    return true;
  }

  #startData(running: Running): void {
    if (running.begun) return;
    running.begun = true;
    if (running.outcome !== undefined) return;
    const { client, id } = running.channel;
    if (client.kind === 'active')
      this.#control.outbox.emit({ kind: 'connectClient', channel: id, to: client.to });
    this.#control.outbox.emit({ kind: 'relay', channel: id, direction: running.direction });
  }

  #refuse(running: Running, reply: Reply): void {
    const { channel } = running;
    if (running.begun) {
      this.#control.outbox.emit({ kind: 'discard', channel: channel.id });
      this.#state = NONE;
    } else {
      channel.refusedOnce = true;
      this.#state = { kind: 'ready', channel };
    }
    if (running.early.length > 0) this.#control.outbox.release(reply.raw);
    else this.#control.outbox.toClient(reply.raw);
  }

  onDataSettled(id: ChannelId, outcome: ChannelOutcome): void {
    if (this.#state.kind !== 'running' || this.#state.running.channel.id !== id) return;
    const { running } = this.#state;
    running.outcome = outcome;
    if (outcome.kind !== 'legFailed') this.#releaseEarly(running);
    this.#settle(running);
  }

  /** The client sends ABOR: a final reply no longer waits for the data. */
  abort(): void {
    if (this.#state.kind !== 'running') return;
    const { running } = this.#state;
    running.aborted = true;
    // A client closes its data connection along with ABOR, as it does at the end of a file: that must not become an end block.
    if (this.#control.lines !== undefined && running.direction === 'upload')
      this.#control.outbox.emit({ kind: 'discard', channel: running.channel.id });
    this.#settle(running);
  }

  #settle(running: Running): void {
    const { final, outcome } = running;
    if (final === undefined) return;
    const settlement = settleTransfer(running);
    if (settlement === 'wait') {
      this.#control.outbox.hold();
      return;
    }
    this.#state = NONE;
    if (settlement === 'forward') this.completed += 1;
    if (settlement === 'truncated' || settlement === 'incomplete') this.cut += 1;
    this.#control.outbox.emit({ kind: 'discard', channel: running.channel.id });
    this.#control.outbox.release(
      settlement === 'forward' ? final.raw : Buffer.from(verdictOn(settlement, outcome)),
    );
  }

  /** Lets go of whatever there is; no reply is given. */
  drop(): void {
    const state = this.#state;
    this.#state = NONE;
    if (state.kind === 'ready' || state.kind === 'reaching')
      this.#control.outbox.emit({ kind: 'discard', channel: state.channel.id });
    if (state.kind === 'setup')
      this.#control.outbox.emit({ kind: 'discard', channel: state.setup.channel.id });
    if (state.kind === 'running') {
      this.#control.outbox.emit({ kind: 'discard', channel: state.running.channel.id });
      if (state.running.early.length > 0) this.#control.outbox.release(Buffer.alloc(0));
    }
  }
}
