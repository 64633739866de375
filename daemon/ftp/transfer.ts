// The transfer machine: from the transfer command to the final reply, and what a file's end is worth. How the data channel comes
// to be is arrangement.ts.
import type { Endpoint } from '../../shared/endpoint.js';
import { Arrangement } from './arrangement.js';
import type { Channel, ClientSide } from './channel.js';
import type { Command } from './command-reader.js';
import type { Control } from './control.js';
import type { LegProtection } from './effects.js';
import type { ChannelId, ChannelOutcome } from './events.js';
import { HELD_REPLIES_MAX } from './limits.js';
import { replyClass, type Reply } from './reply-reader.js';
import { sentences } from './sentences.js';
import { settleTransfer } from './state.js';
import { verdictOn } from './transfer-verdict.js';
import type { UpstreamForms } from './upstream-forms.js';

interface Running {
  readonly channel: Channel;
  readonly direction: 'download' | 'upload';
  /** The server has accepted the transfer. */
  begun: boolean;
  outcome: ChannelOutcome | undefined;
  /** Preliminary replies to an upload that wait for the client's data connection. */
  early: Buffer[];
  earlyBytes: number;
  final: Reply | undefined;
  aborted: boolean;
  /** The channel was let go of; nothing may be asked of it any more. */
  discarded: boolean;
}

/** One session's transfers, one at a time. A channel is being arranged or in use, never both. */
export class TransferMachine {
  readonly #control: Control;
  readonly #arrangement: Arrangement;
  #running: Running | undefined;
  /** What PBSZ agreed on, where data goes in blocks. */
  bufferSize = 0;
  completed = 0;
  /** How many were reported as failed because their data did not come through whole. */
  cut = 0;

  constructor(control: Control) {
    this.#control = control;
    this.#arrangement = new Arrangement(control, (channel, command) => {
      this.#run(channel, command);
    });
  }

  /** What is known of the server's ways to data. */
  get forms(): UpstreamForms {
    return this.#arrangement.forms;
  }

  /** The level for the legs towards the server from now on. */
  set legProtection(level: LegProtection) {
    this.#arrangement.legProtection = level;
  }

  /** A data port is being arranged: nothing else may be sent. */
  get settingUp(): boolean {
    return this.#arrangement.underWay;
  }

  /** The server's final reply is known, but its data has not ended. */
  get holding(): boolean {
    return this.#running?.final !== undefined;
  }

  /** The client asked for a data port. `text` is the reply for clients that listen themselves. */
  setUp(client: ClientSide, text: string): void {
    this.drop();
    this.#arrangement.setUp(client, text);
  }

  /** The client sent a transfer command and nothing else is outstanding. */
  request(command: Command): void {
    this.#dropRunning();
    this.#arrangement.request(command);
  }

  #run(channel: Channel, command: Command): void {
    const { direction } = command.info;
    const running: Running = {
      channel,
      direction,
      begun: false,
      outcome: undefined,
      early: [],
      earlyBytes: 0,
      final: undefined,
      aborted: false,
      discarded: false,
    };
    this.#running = running;
    const sequence = this.#control.send(command, { kind: 'transfer' });
    this.#useBlocks(running, sequence);
    if (this.#arrangement.legProtection === 'private')
      this.#control.outbox.emit({ kind: 'secureSoon', channel: channel.id });
  }

  /** Where lines are protected one by one, so is data, under the number of the line that asked for it. */
  #useBlocks({ channel, direction }: Running, sequence: number | undefined): void {
    const { lines, outbox, label } = this.#control;
    if (this.#arrangement.legProtection === 'clear' || lines === undefined || sequence === undefined) return;
    if (this.bufferSize === 0) {
      this.#control.fail(sentences.mechanismFailed(label, 'PROT without PBSZ'));
      return;
    }
    const blocks = lines.transfer(sequence, this.bufferSize);
    outbox.emit({ kind: 'useBlocks', channel: channel.id, blocks, direction });
  }

  /** A preliminary or final reply to the transfer command. */
  onTransferReply(reply: Reply): void {
    const running = this.#running;
    if (running === undefined) {
      this.#control.outbox.toClient(reply.raw);
      return;
    }
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
    running.earlyBytes += reply.raw.length;
    if (running.earlyBytes > HELD_REPLIES_MAX)
      this.#control.fail(sentences.replyTooLong(this.#control.label));
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
    const running = this.#running;
    if (running?.begun !== true || running.outcome !== undefined || running.discarded) return false;
    this.#control.outbox.emit({ kind: 'expectEnd', channel: running.channel.id });
    return true;
  }

  #startData(running: Running): void {
    if (running.begun) return;
    running.begun = true;
    if (running.outcome !== undefined || running.discarded) return;
    const { client, id } = running.channel;
    if (client.kind === 'active')
      this.#control.outbox.emit({ kind: 'connectClient', channel: id, to: client.to });
    this.#control.outbox.emit({ kind: 'relay', channel: id, direction: running.direction });
  }

  #refuse(running: Running, reply: Reply): void {
    const { channel } = running;
    this.#running = undefined;
    if (running.begun || running.discarded) this.#discard(running);
    else this.#arrangement.keep(channel);
    if (running.early.length > 0) this.#control.outbox.release(reply.raw);
    else this.#control.outbox.toClient(reply.raw);
  }

  onDataSettled(id: ChannelId, outcome: ChannelOutcome): void {
    const running = this.#runningOn(id);
    if (running === undefined) return;
    running.outcome = outcome;
    if (outcome.kind !== 'legFailed') this.#releaseEarly(running);
    this.#settle(running);
  }

  /** The client sends ABOR: a final reply no longer waits for the data. */
  abort(): void {
    const running = this.#running;
    if (running === undefined) return;
    running.aborted = true;
    // A client closes its data connection along with ABOR, as it does at the end of a file: that must not become an end block.
    if (this.#control.lines !== undefined && running.direction === 'upload') this.#discard(running);
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
    this.#running = undefined;
    if (settlement === 'forward') this.completed += 1;
    if (settlement === 'truncated' || settlement === 'incomplete') this.cut += 1;
    this.#discard(running);
    this.#control.outbox.release(
      settlement === 'forward' ? final.raw : Buffer.from(verdictOn(settlement, outcome)),
    );
  }

  /** Lets go of whatever there is; no reply is given. */
  drop(): void {
    this.#dropRunning();
    this.#arrangement.drop();
  }

  #dropRunning(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    this.#discard(running);
    if (running.early.length > 0) this.#control.outbox.release(Buffer.alloc(0));
  }

  #discard(running: Running): void {
    if (running.discarded) return;
    running.discarded = true;
    this.#control.outbox.emit({ kind: 'discard', channel: running.channel.id });
  }

  // What the driver and the server say of a channel goes to whoever has it

  /** A reply to our EPSV, PASV, PORT or EPRT. */
  onSetupReply(reply: Reply): void {
    this.#arrangement.onSetupReply(reply);
  }

  onClientListening(id: ChannelId, endpoint: Endpoint): void {
    this.#arrangement.onClientListening(id, endpoint);
  }

  onServerListening(id: ChannelId, endpoint: Endpoint): void {
    this.#arrangement.onServerListening(id, endpoint);
  }

  /** The client's leg stands: an upload that waited for it may begin. */
  onClientConnected(id: ChannelId): void {
    this.#arrangement.onClientConnected(id);
    const running = this.#runningOn(id);
    if (running === undefined) return;
    running.channel.clientConnected = true;
    this.#releaseEarly(running);
  }

  /** The server's leg stands, as far as TCP goes. */
  onServerReached(id: ChannelId): void {
    const running = this.#runningOn(id);
    if (running === undefined) {
      this.#arrangement.onServerReached(id);
      return;
    }
    running.channel.serverReached = true;
    this.forms.reached();
  }

  /** A leg is not to be had: known before `relay` was asked for, afterwards the outcome tells. */
  onChannelFailed(id: ChannelId, leg: 'client' | 'server', reason: string): void {
    const running = this.#runningOn(id);
    if (running === undefined) {
      this.#arrangement.onChannelFailed(id, leg, reason);
      return;
    }
    if (leg === 'server') running.channel.serverFailed = true;
    running.outcome ??= { kind: 'legFailed', leg, reason };
  }

  #runningOn(id: ChannelId): Running | undefined {
    return this.#running?.channel.id === id ? this.#running : undefined;
  }
}
