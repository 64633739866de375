// One intercepted control connection: events in, effects out. The phases are in state.ts, what a command may do in
// routing.ts, which reply belongs where in pairing.ts, data in transfer.ts; this file joins them.
import { formatEndpoint, type Endpoint, type Port } from '../../shared/endpoint.js';
import type { HostPolicy } from '../../shared/policy.js';
import type { Decision, Question, ServerIdentity } from '../../shared/trust.js';
import { CommandReader, type Command } from './command-reader.js';
import type { Effect } from './effects.js';
import type { Event } from './events.js';
import {
  HANDSHAKE_MS,
  COLLECTED_REPLY_MAX,
  HELD_COMMANDS_MAX,
  HELD_REPLIES_MAX,
  NEGOTIATION_REPLY_MS,
  REPLAYED_COMMANDS_MAX,
} from './limits.js';
import { Negotiation, type NegotiationStep } from './negotiation.js';
import { Pairing, type Exchange } from './pairing.js';
import { Protection, type ProtectionState } from './protection.js';
import { ReplyReader, replyClass, type Reply, type ReplyLine } from './reply-reader.js';
import { isAnonymous, routeCommand, type Route, type RouteView } from './routing.js';
import { ownReply, sentences } from './sentences.js';
import { advance, type Phase } from './state.js';
import { TransferMachine } from './transfer.js';
import { GiveawayWatcher } from './watcher.js';

/** What a session is told at its start; nothing of it changes. */
export interface SessionContext {
  readonly policy: HostPolicy;
  /** Where the client wanted to go. */
  readonly server: Endpoint;
  /** The client's end of the control connection. */
  readonly client: Endpoint;
  /** The server is known to have been secure: it is never spoken to in clear. */
  readonly knownSecure: boolean;
  /** `swallow`: the client has had a greeting already (explicit proxy); an error greeting reaches it all the same. */
  readonly greeting: 'forward' | 'swallow';
  /** Data connections without protection may go past the proxy; not possible for the explicit proxy. */
  readonly dataPath: 'direct' | 'proxied';
  /** EPSV is known not to work with this server. */
  readonly noEpsv: boolean;
}

/** What people see of a session. */
export interface SessionView {
  readonly phase: Phase;
  readonly data: ProtectionState;
  readonly identity: ServerIdentity | undefined;
  readonly warning: string | undefined;
  readonly transfers: number;
  /** The name from HOST or the configuration. */
  readonly name: string | undefined;
}

interface Collected {
  readonly exchange: Exchange | undefined;
  readonly lines: string[];
  readonly raw: Buffer[];
  bytes: number;
}

const ATTACK_CODES: readonly number[] = [234, 235, 334, 335];
const HIDDEN_FEATURES = /^ (?:AUTH|PBSZ|PROT|CCC|SSCN|CPSV)\b/i;
const REPLAYED_VERBS: readonly string[] = ['CLNT', 'OPTS', 'LANG', 'HOST'];

/**
 * `step` is total: it never throws for anything a peer does, and after `close` or `tunnel` it returns nothing. Its
 * memory is bounded by limits.ts as long as the driver stops reading the client while `wantsClient` is false.
 */
export class Session {
  readonly #context: SessionContext;
  readonly #commands = new CommandReader();
  #replies = new ReplyReader();
  readonly #pairing = new Pairing();
  readonly #protection: Protection;
  readonly #transfer: TransferMachine;
  readonly #watcher = new GiveawayWatcher();
  #phase: Phase = 'connecting';
  #effects: Effect[] = [];
  #held: Command[] = [];
  #heldBytes = 0;
  #collected: Collected | undefined;
  #behind: Uint8Array[] = [];
  #behindBytes = 0;
  #negotiation: Negotiation | undefined;
  #resumeAfterAuth: 'plain' | 'cleartext' = 'plain';
  readonly #replayed: Buffer[] = [];
  #name: string | undefined;
  #identity: ServerIdentity | undefined;
  #warning: string | undefined;
  #serverLost = false;
  #serverEnded = false;
  #clientEnded = false;
  #anonymousOnly = false;
  #loggedIn = false;
  #reinitialised = false;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#name = context.policy.name;
    this.#protection = new Protection(context.policy.data.protection);
    const host = {
      emit: (effect: Effect) => {
        this.#emit(effect);
      },
      sendSetup: (line: string) => {
        this.#sendOwn(line, { kind: 'setup' });
      },
      sendTransfer: (command: Command) => {
        this.#send(command.raw, { kind: 'transfer' });
      },
      toClient: (bytes: Uint8Array) => {
        this.#toClient(bytes);
      },
      released: () => {
        this.#releaseBehind();
      },
    };
    this.#transfer = new TransferMachine(host, context, context.noEpsv);
  }

  /** The first effects: dial the server. */
  start(): readonly Effect[] {
    this.#emit({ kind: 'dial', port: this.#dialPort() });
    return this.#take();
  }

  /** Everything that follows from one event, in order. */
  step(event: Event): readonly Effect[] {
    if (this.#phase === 'closed' || this.#phase === 'tunnel') return [];
    this.#on(event);
    this.#advanceHeld();
    if (this.#clientEnded && this.#isAtRest()) this.#close();
    return this.#take();
  }

  /** False while enough commands are held: the driver must not read the client then. */
  get wantsClient(): boolean {
    return this.#heldBytes < HELD_COMMANDS_MAX;
  }

  get phase(): Phase {
    return this.#phase;
  }

  view(): SessionView {
    return {
      phase: this.#phase,
      data: this.#protection.state,
      identity: this.#identity,
      warning: this.#warning,
      transfers: this.#transfer.completed,
      name: this.#name,
    };
  }

  #on(event: Event): void {
    switch (event.kind) {
      case 'serverConnected':
        this.#onServerConnected();
        break;
      case 'serverFailed':
        this.#fail(sentences.serverUnreachable(this.#label(), event.reason));
        break;
      case 'clientBytes':
        this.#onClientBytes(event.bytes);
        break;
      case 'clientClosed':
        this.#onClientClosed();
        break;
      case 'serverBytes':
        this.#onServerBytes(event.bytes);
        break;
      case 'serverClosed':
        this.#onServerClosed();
        break;
      case 'tlsEstablished':
        this.#onTlsEstablished(event.identity);
        break;
      case 'tlsFailed':
        this.#fail(sentences.tlsFailed(this.#label(), event.reason));
        break;
      case 'decided':
        this.#onDecided(event.decision);
        break;
      case 'timer':
        this.#onTimer();
        break;
      case 'clientListening':
        this.#transfer.onClientListening(event.channel, event.endpoint);
        break;
      case 'serverListening':
        this.#transfer.onServerListening(event.channel, event.endpoint);
        break;
      case 'channelFailed':
        this.#transfer.onChannelFailed(event.channel, event.leg, event.reason);
        break;
      case 'dataSettled':
        this.#transfer.onDataSettled(event.channel, event.outcome);
        break;
    }
  }

  // Connecting and the greeting

  /** Implicit FTPS has its own port (990); an explicit choice of another port in the client is respected. */
  #dialPort(): Port {
    const { policy, server } = this.#context;
    return policy.mode === 'implicit' && server.port === 21 ? (990 as Port) : server.port;
  }

  #onServerConnected(): void {
    if (this.#phase === 'reconnecting') return;
    if (this.#context.policy.mode === 'tunnel') {
      this.#to('tunnel');
      this.#emit({ kind: 'tunnel' });
    } else if (this.#context.policy.mode === 'implicit') {
      this.#beginHandshake();
    } else {
      this.#to('greeting');
    }
  }

  #onGreetingLine(line: ReplyLine): void {
    if (line.code === undefined) {
      if (this.#context.greeting === 'swallow' || this.#mustStaySecure()) {
        this.#fail(sentences.notFtp(this.#label()));
        return;
      }
      this.#passThrough(line.raw);
      return;
    }
    const refused = replyClass(line.code) >= 4;
    if (this.#context.greeting === 'forward' || refused) this.#toClient(line.raw);
    if (!line.last || replyClass(line.code) === 1) return;
    this.#emit({ kind: 'clearTimer', timer: 'negotiation' });
    if (this.#identity === undefined) {
      this.#to('plain');
    } else {
      this.#to('secured');
      this.#protect();
    }
  }

  #mustStaySecure(): boolean {
    return this.#context.knownSecure || this.#identity !== undefined;
  }

  #passThrough(serverBytes: Uint8Array): void {
    this.#to('passthrough');
    this.#emit({ kind: 'clearTimer', timer: 'negotiation' });
    this.#toClient(serverBytes);
    this.#toClient(this.#replies.takeRest());
    const early = [...this.#held.map((command) => command.raw), this.#commands.takeRest()];
    this.#held = [];
    this.#heldBytes = 0;
    this.#onWatchedBytes(Buffer.concat(early));
  }

  // The client

  #onClientBytes(bytes: Uint8Array): void {
    if (this.#phase === 'passthrough') {
      this.#onWatchedBytes(bytes);
      return;
    }
    this.#commands.push(bytes);
    this.#readCommands();
  }

  #readCommands(): void {
    for (;;) {
      const read = this.#commands.read();
      if (read.kind === 'need-more') break;
      if (read.kind === 'too-long') {
        this.#fail(sentences.lineTooLong(), 500);
        return;
      }
      this.#held.push(read.command);
      this.#heldBytes += read.command.raw.length;
    }
    if (this.#phase === 'greeting') this.#checkEarlyClient();
  }

  /** A client that speaks before the greeting: FTP programs may pipeline, others are not FTP. */
  #checkEarlyClient(): void {
    const first = this.#held[0];
    if (first === undefined || this.#context.greeting === 'swallow') return;
    if (/^[A-Z]{3,4}$/.test(first.verb)) {
      this.#emit({ kind: 'setTimer', timer: 'negotiation', ms: NEGOTIATION_REPLY_MS });
    } else if (!this.#mustStaySecure() && !this.#replies.insideReply && this.#replies.pending === 0) {
      this.#passThrough(Buffer.alloc(0));
    }
  }

  #onWatchedBytes(bytes: Uint8Array): void {
    const { pass, ftp } = this.#watcher.push(bytes);
    if (pass.length > 0) this.#emit({ kind: 'sendServer', bytes: pass });
    if (ftp === undefined) return;
    this.#to('plain');
    this.#replies = new ReplyReader();
    this.#commands.push(ftp);
    this.#readCommands();
  }

  #onClientClosed(): void {
    const working = ['negotiating', 'handshaking', 'plain', 'secured', 'cleartext'].includes(this.#phase);
    if (!working) this.#close();
    this.#clientEnded = true;
  }

  #isAtRest(): boolean {
    return (
      this.#held.length === 0 && this.#pairing.idle && !this.#transfer.holding && !this.#transfer.settingUp
    );
  }

  #advanceHeld(): void {
    for (;;) {
      const command = this.#held[0];
      const view = this.#routeView();
      if (command === undefined || view === undefined) return;
      const route = routeCommand(command, view);
      if (route.kind === 'wait') return;
      const followed = this.#follow(command, route);
      if (followed === 'held') return;
      if (followed === 'again') continue;
      this.#held.shift();
      this.#heldBytes -= command.raw.length;
    }
  }

  #routeView(): RouteView | undefined {
    const phase = this.#phase;
    if (phase !== 'plain' && phase !== 'clientAuth' && phase !== 'secured' && phase !== 'cleartext')
      return undefined;
    const { client, server } = this.#context;
    return {
      phase,
      idle: this.#pairing.idle,
      pipelinable: this.#pairing.pipelinable,
      transferring: this.#pairing.transferring,
      settingUp: this.#transfer.settingUp,
      holding: this.#transfer.holding,
      outstanding: this.#pairing.size,
      direct: this.#isDirect(),
      protection: phase === 'cleartext' ? 'clear' : this.#protection.state,
      epsvAll: this.#transfer.epsvAll,
      anonymousOnly: this.#anonymousOnly,
      client,
      server,
      label: this.#label(),
    };
  }

  #isDirect(): boolean {
    if (this.#context.dataPath === 'proxied') return false;
    return this.#phase === 'cleartext' || this.#protection.state === 'clear';
  }

  /** Carries a route out: the command is done with, stays held until an event, or is to be routed anew. */
  #follow(command: Command, route: Exclude<Route, { kind: 'wait' }>): 'taken' | 'held' | 'again' {
    switch (route.kind) {
      case 'drop':
        return 'taken';
      case 'send':
        this.#noteRelayed(command, route.exchange);
        this.#send(command.raw, route.exchange);
        return 'taken';
      case 'answer':
        this.#toClient(Buffer.from(route.text));
        return 'taken';
      case 'negotiate':
        return this.#negotiate(command);
      case 'clientAuth':
        this.#resumeAfterAuth = this.#phase === 'cleartext' ? 'cleartext' : 'plain';
        this.#to('clientAuth');
        this.#send(command.raw, { kind: 'clientAuth' });
        return 'taken';
      case 'protect':
        return this.#protectOrWait();
      case 'setUp':
        this.#transfer.legProtection = this.#protection.state === 'private' ? 'private' : 'clear';
        this.#transfer.setUp(route.client, route.text);
        return 'taken';
      case 'transfer':
        this.#startTransfer(command);
        return 'taken';
      case 'epsvAll':
        this.#transfer.epsvAll = true;
        this.#send(command.raw, { kind: 'relay', verb: 'EPSV', argument: 'ALL', outOfBand: false });
        return 'taken';
      case 'judgeClear':
        this.#judgeClear(command, 'a login with a password follows an anonymous one');
        return 'held';
    }
  }

  #startTransfer(command: Command): void {
    if (this.#isDirect()) {
      this.#send(command.raw, { kind: 'transfer' });
      return;
    }
    this.#transfer.legProtection = this.#protection.state === 'private' ? 'private' : 'clear';
    this.#transfer.request(command);
  }

  #noteRelayed(command: Command, exchange: Exchange): void {
    if (exchange.kind !== 'relay' || this.#phase !== 'plain') return;
    if (!REPLAYED_VERBS.includes(command.verb) || this.#replayed.length >= REPLAYED_COMMANDS_MAX) return;
    this.#replayed.push(command.raw);
  }

  // Negotiation and trust

  #negotiate(command: Command): 'held' | 'again' {
    if (this.#context.policy.mode === 'plain') {
      this.#allowClear('this server is set to plain FTP');
      return 'again';
    }
    this.#negotiation = new Negotiation(this.#context.policy.tls.mechanisms);
    this.#to('negotiating');
    this.#followNegotiation(this.#negotiation.start(), command);
    return 'held';
  }

  #followNegotiation(step: NegotiationStep, command: Command | undefined): void {
    switch (step.kind) {
      case 'send':
        this.#emit({ kind: 'setTimer', timer: 'negotiation', ms: NEGOTIATION_REPLY_MS });
        this.#sendOwn(step.line, { kind: 'auth' });
        break;
      case 'wrapStream':
        this.#emit({ kind: 'clearTimer', timer: 'negotiation' });
        if (this.#replies.pending > 0) this.#fail(sentences.injected(this.#label()));
        else this.#beginHandshake();
        break;
      case 'exhausted':
        this.#emit({ kind: 'clearTimer', timer: 'negotiation' });
        this.#judgeClear(command, step.reason);
        break;
    }
  }

  #beginHandshake(): void {
    this.#to('handshaking');
    this.#emit({ kind: 'setTimer', timer: 'handshake', ms: HANDSHAKE_MS });
    this.#emit({ kind: 'startTls', servername: this.#name });
  }

  #onTlsEstablished(identity: ServerIdentity): void {
    if (this.#phase !== 'handshaking') return;
    this.#emit({ kind: 'clearTimer', timer: 'handshake' });
    this.#identity = identity;
    this.#to('judgingKey');
    this.#ask({ kind: 'key', identity });
  }

  #judgeClear(command: Command | undefined, reason: string): void {
    this.#to('judgingClear');
    const anonymous = command !== undefined && isAnonymous(command);
    this.#anonymousOnly = anonymous;
    this.#ask({ kind: 'cleartext', anonymous, reason: reason.slice(0, 500) });
  }

  #ask(question: Question): void {
    this.#emit({ kind: 'ask', question });
  }

  #onDecided(decision: Decision): void {
    if (this.#phase !== 'judgingKey' && this.#phase !== 'judgingClear') return;
    if (decision.kind === 'refuse') {
      this.#fail(decision.sentence);
      return;
    }
    if (this.#phase === 'judgingKey') {
      this.#warning = decision.warning;
      this.#onKeyAllowed();
    } else {
      this.#allowClear(decision.warning);
    }
  }

  #onKeyAllowed(): void {
    this.#replies = new ReplyReader();
    if (this.#context.policy.mode === 'implicit') {
      this.#to('greeting');
      return;
    }
    this.#to('secured');
    this.#protect();
  }

  #allowClear(warning: string | undefined): void {
    this.#warning = warning;
    if (this.#phase !== 'judgingClear') this.#to('judgingClear');
    if (this.#serverLost) this.#reconnect();
    else this.#to('cleartext');
  }

  /** The server hangs up on AUTH: once more, without it, repeating what the client had set up. */
  #reconnect(): void {
    this.#serverLost = false;
    this.#to('reconnecting');
    this.#pairing.clear();
    this.#collected = undefined;
    this.#replies = new ReplyReader();
    this.#emit({ kind: 'setTimer', timer: 'negotiation', ms: NEGOTIATION_REPLY_MS });
    this.#emit({ kind: 'dial', port: this.#dialPort() });
  }

  #onReconnectedLine(line: ReplyLine): void {
    if (line.code === undefined || !line.last || replyClass(line.code) === 1) return;
    this.#emit({ kind: 'clearTimer', timer: 'negotiation' });
    if (replyClass(line.code) >= 4) {
      this.#fail(sentences.serverClosed(this.#label()));
      return;
    }
    this.#to('cleartext');
    for (const raw of this.#replayed) this.#send(raw, { kind: 'silent' });
  }

  #onTimer(): void {
    if (this.#phase === 'negotiating') this.#serverSilent('no answer');
    else if (this.#phase === 'handshaking')
      this.#fail(sentences.tlsFailed(this.#label(), 'it took too long'));
    else if (this.#phase === 'greeting' || this.#phase === 'reconnecting') {
      this.#fail(sentences.greetingMissing(this.#label()));
    }
  }

  #serverSilent(event: string): void {
    this.#emit({ kind: 'clearTimer', timer: 'negotiation' });
    this.#emit({ kind: 'hangUpServer' });
    this.#serverLost = true;
    this.#judgeClear(this.#held[0], this.#negotiation?.reasonWith(event) ?? event);
  }

  // Data protection

  #protect(): void {
    for (const line of this.#protection.ask())
      this.#sendOwn(line, { kind: line.startsWith('PBSZ') ? 'pbsz' : 'prot' });
  }

  /** Either the answer to PROT is awaited, or the state has just become `refused`. */
  #protectOrWait(): 'held' | 'again' {
    if (this.#protection.state === 'asked') return 'held';
    this.#protect();
    return this.#protection.settled ? 'again' : 'held';
  }

  // The server

  #onServerBytes(bytes: Uint8Array): void {
    if (this.#phase === 'passthrough') {
      this.#toClient(bytes);
      return;
    }
    if (this.#phase === 'handshaking' || this.#phase === 'judgingKey') {
      // The driver hands these bytes to TLS; whoever feeds them here lets them jump the protection.
      this.#fail(sentences.injected(this.#label()));
      return;
    }
    this.#replies.push(bytes);
    this.#readReplies();
  }

  #readReplies(): void {
    while (this.#phase !== 'closed' && this.#phase !== 'passthrough') {
      const read = this.#replies.read();
      if (read.kind === 'need-more') break;
      if (read.kind === 'too-long') {
        this.#fail(sentences.replyTooLong(this.#label()));
        return;
      }
      this.#onReplyLine(read.line);
      if (this.#phase === 'handshaking') return;
      if (this.#phase === 'tunnel') return;
    }
  }

  #onReplyLine(line: ReplyLine): void {
    if (this.#phase === 'greeting') this.#onGreetingLine(line);
    else if (this.#phase === 'reconnecting') this.#onReconnectedLine(line);
    else if (line.code === undefined) this.#toClient(line.raw);
    else this.#collect(line, line.code);
  }

  #collect(line: ReplyLine, code: number): void {
    this.#collected ??= { exchange: this.#pairing.match(code), lines: [], raw: [], bytes: 0 };
    const { exchange } = this.#collected;
    if (exchange === undefined || exchange.kind === 'relay' || exchange.kind === 'abort') {
      this.#relayLine(exchange, line, code);
    } else {
      this.#collected.lines.push(line.text);
      this.#collected.raw.push(line.raw);
      this.#collected.bytes += line.raw.length;
      if (this.#collected.bytes > COLLECTED_REPLY_MAX) {
        this.#fail(sentences.replyTooLong(this.#label()));
        return;
      }
    }
    if (!line.last) return;
    const { lines, raw } = this.#collected;
    this.#collected = undefined;
    this.#onReply(exchange, { code, lines, raw: Buffer.concat(raw) });
  }

  #relayLine(exchange: Exchange | undefined, line: ReplyLine, code: number): void {
    if (exchange === undefined && this.#identity === undefined && ATTACK_CODES.includes(code)) {
      this.#fail(sentences.injected(this.#label()));
      return;
    }
    const hidden = exchange?.kind === 'relay' && exchange.verb === 'FEAT' && this.#phase === 'secured';
    if (!hidden || !HIDDEN_FEATURES.test(line.text)) this.#toClient(line.raw);
  }

  #onReply(exchange: Exchange | undefined, reply: Reply): void {
    switch (exchange?.kind) {
      case undefined:
      case 'abort':
      case 'pbsz':
      case 'silent':
        break;
      case 'relay':
        this.#onRelayed(exchange, reply.code);
        break;
      case 'clientAuth':
        this.#onClientAuthReply(reply);
        break;
      case 'auth':
        if (this.#negotiation !== undefined)
          this.#followNegotiation(this.#negotiation.onReply(reply), this.#held[0]);
        break;
      case 'prot':
        this.#protection.onProtReply(reply, this.#loggedIn);
        break;
      case 'setup':
        this.#transfer.onSetupReply(reply);
        break;
      case 'transfer':
        this.#transfer.onTransferReply(reply);
        break;
      case 'reinitialise':
        this.#onReinitialised(reply);
        break;
    }
  }

  #onRelayed(exchange: Extract<Exchange, { kind: 'relay' }>, code: number): void {
    if (exchange.verb === 'HOST' && replyClass(code) === 2) this.#name ??= hostName(exchange.argument);
    const login = ['USER', 'PASS', 'ACCT'].includes(exchange.verb) && (code === 230 || code === 232);
    if (!login) return;
    this.#loggedIn = true;
    if (this.#phase === 'secured') this.#protect();
  }

  #onClientAuthReply(reply: Reply): void {
    if (replyClass(reply.code) === 3) {
      this.#toClient(reply.raw);
      return;
    }
    if (reply.code !== 234 && reply.code !== 235) {
      this.#to(this.#resumeAfterAuth);
      this.#toClient(reply.raw);
      return;
    }
    this.#toClient(reply.raw);
    this.#toClient(this.#replies.takeRest());
    const rest = Buffer.concat([...this.#held.map((command) => command.raw), this.#commands.takeRest()]);
    if (rest.length > 0) this.#emit({ kind: 'sendServer', bytes: rest });
    this.#held = [];
    this.#to('tunnel');
    this.#emit({ kind: 'tunnel' });
  }

  /** RFC 4217 section 11 lets REIN end the protection; we go on only as long as TLS does, and ask for PROT again. */
  #onReinitialised(reply: Reply): void {
    this.#toClient(reply.raw);
    if (replyClass(reply.code) !== 2) return;
    this.#loggedIn = false;
    this.#transfer.drop();
    this.#protection.reset();
    if (this.#phase === 'secured') this.#protect();
    this.#reinitialised = true;
  }

  #onServerClosed(): void {
    if (this.#phase === 'negotiating') {
      this.#serverSilent('the server closed the connection');
    } else if (this.#phase === 'handshaking') {
      this.#fail(sentences.tlsFailed(this.#label(), 'the server closed the connection'));
    } else if (this.#phase === 'judgingClear') {
      this.#serverLost = true;
    } else if (this.#phase === 'judgingKey' || this.#phase === 'reconnecting' || this.#reinitialised) {
      this.#fail(sentences.serverClosed(this.#label()));
    } else if (this.#transfer.holding) {
      this.#serverEnded = true;
    } else {
      this.#close();
    }
  }

  // Ways out

  #send(raw: Uint8Array, exchange: Exchange): void {
    this.#pairing.expect(exchange);
    this.#emit({ kind: 'sendServer', bytes: raw });
  }

  #sendOwn(line: string, exchange: Exchange): void {
    this.#send(Buffer.from(`${line}\r\n`, 'latin1'), exchange);
  }

  /** Replies stay in order: while a final reply is held, what follows it waits behind it. */
  #toClient(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (!this.#transfer.holding) {
      this.#emit({ kind: 'sendClient', bytes });
      return;
    }
    this.#behind.push(bytes);
    this.#behindBytes += bytes.length;
    if (this.#behindBytes > HELD_REPLIES_MAX) this.#close();
  }

  #releaseBehind(): void {
    const waiting = this.#behind;
    this.#behind = [];
    this.#behindBytes = 0;
    for (const bytes of waiting) this.#emit({ kind: 'sendClient', bytes });
    if (this.#serverEnded) this.#close();
  }

  #fail(sentence: string, code = 421): void {
    if (this.#phase === 'closed') return;
    this.#emit({ kind: 'sendClient', bytes: Buffer.from(ownReply(code, sentence)) });
    this.#close();
  }

  #close(): void {
    if (this.#phase === 'closed') return;
    this.#transfer.drop();
    this.#emit({ kind: 'close' });
    this.#to('closed');
  }

  #to(phase: Phase): void {
    this.#phase = advance(this.#phase, phase);
  }

  #emit(effect: Effect): void {
    if (this.#phase !== 'closed') this.#effects.push(effect);
  }

  #take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #label(): string {
    return this.#name ?? formatEndpoint(this.#context.server).replace(/:21$/, '');
  }
}

/** The argument of HOST as a name for SNI; an IP literal is none (RFC 6066 section 3). */
function hostName(argument: string): string | undefined {
  const name = argument.trim().toLowerCase();
  return /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z][a-z0-9-]{0,62}$/.test(name)
    ? name
    : undefined;
}
