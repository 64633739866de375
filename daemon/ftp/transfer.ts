// The transfer machine: from the client's request for a data port to the final reply. Upstream is always passive first,
// whatever the client asked for; real active mode is the fallback (ARCHITECTURE.md section 3).
import { familyOf, parsePort, type Endpoint } from '../../shared/endpoint.js';
import type { HostPolicy } from '../../shared/policy.js';
import {
  format227,
  format228,
  format229,
  formatEprtArgument,
  formatPortArgument,
  parse227,
  parse229,
} from './addresses.js';
import type { Command } from './command-reader.js';
import type { Effect, LegProtection } from './effects.js';
import type { ChannelId, ChannelOutcome } from './events.js';
import { replyClass, type Reply } from './reply-reader.js';
import { ownReply, sentences } from './sentences.js';
import { settleTransfer } from './state.js';

/** How the client gets its data connection. */
export type ClientSide =
  | { readonly kind: 'passive'; readonly form: 'PASV' | 'EPSV' | 'LPSV' }
  | { readonly kind: 'active'; readonly to: Endpoint };

type UpstreamForm = 'EPSV' | 'PASV' | 'ACTIVE';

interface Channel {
  readonly id: ChannelId;
  readonly client: ClientSide;
  /** Where the server listens; undefined in active mode. */
  upstream: Endpoint | undefined;
  /** What the client connects to; undefined until known or when it listens itself. */
  offered: Endpoint | undefined;
  serverFailed: boolean;
  /** The server refused a transfer on this channel, so it may have closed its side. */
  refusedOnce: boolean;
}

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
  begun: boolean;
  outcome: ChannelOutcome | undefined;
  final: Reply | undefined;
}

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'setup'; readonly setup: Setup }
  | { readonly kind: 'ready'; readonly channel: Channel }
  | { readonly kind: 'running'; readonly running: Running };

const NONE: State = { kind: 'none' };
/** Replies after which no other form of data connection will fare better. */
const HOPELESS: readonly number[] = [421, 530, 532];

/** What the machine needs of its session. */
export interface TransferHost {
  emit(effect: Effect): void;
  /** Sends a line (without CRLF) whose reply comes back through `onSetupReply`. */
  sendSetup(line: string): void;
  /** Sends the client's transfer command; its replies come back through `onTransferReply`. */
  sendTransfer(command: Command): void;
  toClient(bytes: Uint8Array): void;
  /** A held final reply was let go: what waited behind it may follow. */
  released(): void;
}

/** Facts that do not change while a session lasts. */
export interface TransferContext {
  readonly server: Endpoint;
  readonly client: Endpoint;
  readonly policy: HostPolicy;
}

/** One session's transfers, one at a time. */
export class TransferMachine {
  readonly #host: TransferHost;
  readonly #context: TransferContext;
  #state: State = NONE;
  #channels = 0;
  #noEpsv: boolean;
  /** After EPSV ALL no other form may be used, by the client or by us (RFC 2428 section 4). */
  epsvAll = false;
  /** The level for the legs towards the server, kept up to date by the session. */
  legProtection: LegProtection = 'private';
  completed = 0;

  constructor(host: TransferHost, context: TransferContext, noEpsv: boolean) {
    this.#host = host;
    this.#context = context;
    this.#noEpsv = noEpsv;
  }

  /** A data port is being arranged: nothing else may be sent. */
  get settingUp(): boolean {
    return this.#state.kind === 'setup';
  }

  /** The server's final reply is known, but its data has not ended. */
  get holding(): boolean {
    return this.#state.kind === 'running' && this.#state.running.final !== undefined;
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
      this.#begin({ kind: 'active', to: this.#context.client }, { kind: 'transfer', command });
      return;
    }
    const { channel } = this.#state;
    if (channel.serverFailed && !this.#retry(channel, command)) return;
    this.#run(channel, command);
  }

  /** A server leg that broke: dial again where a refused transfer closed it, else let the server dial us. */
  #retry(channel: Channel, command: Command): boolean {
    channel.serverFailed = false;
    if (channel.refusedOnce && channel.upstream !== undefined) {
      this.#connectServer(channel, channel.upstream);
      return true;
    }
    if (this.epsvAll) return true;
    const setup: Setup = {
      channel,
      forms: ['ACTIVE'],
      then: { kind: 'transfer', command },
      upstreamReady: false,
      firstRefusal: undefined,
    };
    this.#state = { kind: 'setup', setup };
    this.#nextForm(setup);
    return false;
  }

  #run(channel: Channel, command: Command): void {
    const { direction } = command.info;
    this.#state = {
      kind: 'running',
      running: { channel, direction, begun: false, outcome: undefined, final: undefined },
    };
    this.#host.sendTransfer(command);
  }

  #begin(client: ClientSide, then: Setup['then']): void {
    const channel: Channel = {
      id: (this.#channels += 1) as ChannelId,
      client,
      upstream: undefined,
      offered: undefined,
      serverFailed: false,
      refusedOnce: false,
    };
    const setup: Setup = {
      channel,
      forms: this.#formsFor(client),
      then,
      upstreamReady: false,
      firstRefusal: undefined,
    };
    this.#state = { kind: 'setup', setup };
    if (client.kind === 'passive') this.#host.emit({ kind: 'listenForClient', channel: channel.id });
    this.#nextForm(setup);
  }

  /** The client's own form first, so that its view of what the server can do stays right. */
  #formsFor(client: ClientSide): UpstreamForm[] {
    if (this.epsvAll) return ['EPSV'];
    if (familyOf(this.#context.server.address) === 6) return ['EPSV', 'ACTIVE'];
    if (client.kind === 'passive' && client.form !== 'EPSV') return ['PASV', 'EPSV', 'ACTIVE'];
    return this.#noEpsv ? ['PASV', 'ACTIVE'] : ['EPSV', 'PASV', 'ACTIVE'];
  }

  #nextForm(setup: Setup): void {
    const form = setup.forms[0];
    if (form === undefined) {
      this.#fail(setup);
    } else if (form === 'ACTIVE') {
      this.#host.emit({ kind: 'listenForServer', channel: setup.channel.id, protection: this.legProtection });
    } else {
      this.#host.sendSetup(form);
    }
  }

  #fail(setup: Setup): void {
    this.#host.emit({ kind: 'discard', channel: setup.channel.id });
    this.#state = NONE;
    const refusal =
      setup.firstRefusal?.raw ?? Buffer.from(ownReply(425, sentences.noDataPort('the server named none')));
    this.#host.toClient(refusal);
  }

  /** The final reply to a line sent with `sendSetup`. */
  onSetupReply(reply: Reply): void {
    if (this.#state.kind !== 'setup') return;
    const { setup } = this.#state;
    const form = setup.forms.shift();
    const ready =
      form === 'ACTIVE' ? replyClass(reply.code) === 2 : this.#takePassive(setup.channel, form, reply);
    if (ready) {
      setup.upstreamReady = true;
      this.#finish(setup);
      return;
    }
    setup.firstRefusal ??= replyClass(reply.code) >= 4 ? reply : undefined;
    if (HOPELESS.includes(reply.code)) setup.forms.length = 0;
    else if (form === 'EPSV') this.#forgetEpsv();
    this.#nextForm(setup);
  }

  #forgetEpsv(): void {
    if (!this.#noEpsv) this.#host.emit({ kind: 'remember', fact: 'noEpsv' });
    this.#noEpsv = true;
  }

  #takePassive(channel: Channel, form: UpstreamForm | undefined, reply: Reply): boolean {
    const { server, policy } = this.#context;
    const text = reply.lines.at(-1) ?? '';
    const named = form === 'EPSV' && reply.code === 229 ? { ...server, port: parse229(text) } : undefined;
    const from227 = form === 'PASV' && reply.code === 227 ? parse227(reply.lines.join(' ')) : undefined;
    const port = named?.port ?? from227?.port;
    if (port === undefined || port < 1024) return false;
    const address = policy.data.allowForeignAddress ? (from227?.address ?? server.address) : server.address;
    this.#connectServer(channel, { address, port });
    return true;
  }

  #connectServer(channel: Channel, to: Endpoint): void {
    channel.upstream = to;
    this.#host.emit({ kind: 'connectServer', channel: channel.id, to, protection: this.legProtection });
  }

  onClientListening(id: ChannelId, endpoint: Endpoint): void {
    if (this.#state.kind !== 'setup' || this.#state.setup.channel.id !== id) return;
    this.#state.setup.channel.offered = endpoint;
    this.#finish(this.#state.setup);
  }

  onServerListening(id: ChannelId, endpoint: Endpoint): void {
    if (this.#state.kind !== 'setup' || this.#state.setup.channel.id !== id) return;
    const v4 = familyOf(endpoint.address) === 4;
    this.#host.sendSetup(
      v4 ? `PORT ${formatPortArgument(endpoint)}` : `EPRT ${formatEprtArgument(endpoint)}`,
    );
  }

  /** A leg is not to be had. During the set-up that may end it; later the outcome or the next request tells. */
  onChannelFailed(id: ChannelId, leg: 'client' | 'server', reason: string): void {
    if (this.#state.kind === 'ready' && this.#state.channel.id === id && leg === 'server') {
      this.#state.channel.serverFailed = true;
    }
    if (this.#state.kind !== 'setup' || this.#state.setup.channel.id !== id) return;
    const { setup } = this.#state;
    if (leg === 'server' && setup.forms[0] !== 'ACTIVE') {
      setup.channel.serverFailed = true;
      return;
    }
    // A line sent with sendSetup may still be unanswered; its reply finds no set-up and is dropped.
    this.#host.emit({ kind: 'discard', channel: id });
    this.#state = NONE;
    this.#host.toClient(setup.firstRefusal?.raw ?? Buffer.from(ownReply(425, sentences.noDataPort(reason))));
  }

  #finish(setup: Setup): void {
    const { channel, then } = setup;
    if (!setup.upstreamReady || (channel.client.kind === 'passive' && channel.offered === undefined)) return;
    this.#state = { kind: 'ready', channel };
    if (then.kind === 'transfer') this.#run(channel, then.command);
    else this.#host.toClient(Buffer.from(`${replyTo(channel, then.text)}\r\n`));
  }

  /** A preliminary or final reply to the transfer command. */
  onTransferReply(reply: Reply): void {
    if (this.#state.kind !== 'running') {
      this.#host.toClient(reply.raw);
      return;
    }
    const { running } = this.#state;
    const kind = replyClass(reply.code);
    if (kind === 1) {
      this.#host.toClient(reply.raw);
      this.#startData(running);
    } else if (kind === 2) {
      this.#startData(running);
      running.final = reply;
      this.#host.emit({ kind: 'expectEnd', channel: running.channel.id });
      this.#settle(running);
    } else {
      this.#refuse(running, reply);
    }
  }

  #startData(running: Running): void {
    if (running.begun) return;
    running.begun = true;
    const { client, id } = running.channel;
    if (client.kind === 'active') this.#host.emit({ kind: 'connectClient', channel: id, to: client.to });
    this.#host.emit({ kind: 'relay', channel: id, direction: running.direction });
  }

  #refuse(running: Running, reply: Reply): void {
    const { channel } = running;
    if (running.begun) {
      this.#host.emit({ kind: 'discard', channel: channel.id });
      this.#state = NONE;
    } else {
      channel.refusedOnce = true;
      this.#state = { kind: 'ready', channel };
    }
    this.#host.toClient(reply.raw);
  }

  onDataSettled(id: ChannelId, outcome: ChannelOutcome): void {
    if (this.#state.kind !== 'running' || this.#state.running.channel.id !== id) return;
    this.#state.running.outcome = outcome;
    this.#settle(this.#state.running);
  }

  #settle(running: Running): void {
    const { final, outcome } = running;
    if (final === undefined) return;
    const settlement = settleTransfer(running.direction, outcome);
    if (settlement === 'wait') return;
    this.#state = NONE;
    if (settlement === 'forward') this.completed += 1;
    this.#host.emit({ kind: 'discard', channel: running.channel.id });
    this.#host.toClient(settlement === 'forward' ? final.raw : Buffer.from(verdictOn(settlement, outcome)));
    this.#host.released();
  }

  /** Lets go of whatever there is; no reply is given. */
  drop(): void {
    const state = this.#state;
    this.#state = NONE;
    if (state.kind === 'ready') this.#host.emit({ kind: 'discard', channel: state.channel.id });
    if (state.kind === 'setup') this.#host.emit({ kind: 'discard', channel: state.setup.channel.id });
    if (state.kind === 'running') this.#host.emit({ kind: 'discard', channel: state.running.channel.id });
  }
}

function replyTo(channel: Channel, text: string): string {
  const { client, offered } = channel;
  if (client.kind === 'active' || offered === undefined) return text;
  if (client.form === 'PASV') return format227(offered);
  if (client.form === 'LPSV') return format228(offered);
  return format229(offered.port);
}

function verdictOn(
  settlement: 'truncated' | 'incomplete' | 'noData',
  outcome: ChannelOutcome | undefined,
): string {
  if (settlement === 'truncated') return ownReply(426, sentences.truncated());
  if (settlement === 'incomplete') return ownReply(426, sentences.incomplete());
  return ownReply(425, sentences.noData(outcome?.kind === 'legFailed' ? outcome.reason : 'unknown'));
}

/** A port of the client's own side that data connections may go to: its address, and no system port. */
export function isOwnDataPort(client: Endpoint, to: Endpoint): boolean {
  return to.address === client.address && (parsePort(to.port) ?? 0) >= 1024;
}
