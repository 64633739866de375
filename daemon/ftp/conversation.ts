// FTP proper: takes the client's commands where routing.ts says, and the server's replies where pairing.ts says.
import { parseHostArgument } from './addresses.js';
import type { Command } from './command-reader.js';
import type { Control } from './control.js';
import { isOwnFeature } from './features.js';
import type { Opening } from './opening.js';
import type { Exchange } from './pairing.js';
import { Protection, type ProtectionState } from './protection.js';
import { asOneLine, replyClass, type Reply } from './reply-reader.js';
import type { StreamRead, StreamedLine } from './reply-stream.js';
import { routeCommand, type Route, type RouteView } from './routing.js';
import type { Securing } from './securing.js';
import { sentences } from './sentences.js';
import type { Phase } from './state.js';
import { TransferMachine } from './transfer.js';

const LOGIN_VERBS: readonly string[] = ['USER', 'PASS', 'ACCT'];
const SERVICE_ENDS = 421;
const NEGOTIATION_CODES: readonly number[] = [234, 235, 334, 335];

/** The parts that commands and replies may concern. */
export interface ConversationParts {
  readonly opening: Opening;
  readonly securing: Securing;
}

export class Conversation {
  readonly transfer: TransferMachine;
  readonly #control: Control;
  readonly #parts: ConversationParts;
  readonly #protection: Protection;
  #loggedIn = false;

  constructor(control: Control, parts: ConversationParts) {
    this.#control = control;
    this.#parts = parts;
    this.#protection = new Protection(control.context.policy.data.protection);
    this.transfer = new TransferMachine(control);
  }

  get dataProtection(): ProtectionState {
    return this.#protection.state;
  }

  /** The client waits for an answer, sent or not. */
  get awaited(): boolean {
    const { pairing, commands } = this.#control;
    return commands.head !== undefined || pairing.awaited || this.transfer.settingUp;
  }

  /** Nothing is left to be done for the client. */
  get atRest(): boolean {
    const { pairing, commands } = this.#control;
    const answered = pairing.idle || pairing.inDoubt;
    return commands.head === undefined && answered && !this.transfer.holding && !this.transfer.settingUp;
  }

  // Commands

  /** Does what can be done with the held commands now. */
  advance(): void {
    for (;;) {
      const command = this.#control.commands.head;
      const phase = openPhase(this.#control.phase);
      if (command === undefined || phase === undefined) return;
      const route = routeCommand(command, this.#view(phase));
      if (route.kind === 'wait') return;
      const followed = this.#follow(command, route);
      if (followed === 'held') return;
      if (followed === 'taken') this.#control.commands.shift();
    }
  }

  #view(phase: RouteView['phase']): RouteView {
    const { pairing, context, label } = this.#control;
    return {
      phase,
      idle: pairing.idle,
      inDoubt: pairing.inDoubt,
      pipelinable: this.#inLockstep ? pairing.idle : pairing.pipelinable,
      transferring: pairing.transferring,
      settingUp: this.transfer.settingUp,
      holding: this.transfer.holding,
      outstanding: pairing.size,
      direct: this.#isDirect,
      protection: phase === 'cleartext' ? 'clear' : this.#protection.state,
      epsvAll: this.transfer.forms.epsvAll,
      anonymousOnly: this.#parts.securing.anonymousOnly,
      client: context.client,
      label,
    };
  }

  /** What X-SafeTP1 proves afterwards is the order of all that was said, so nothing may be said while an answer is on its way. */
  get #inLockstep(): boolean {
    return this.#control.phase === 'plain' && this.#control.mechanismContext !== undefined;
  }

  /** Data without protection goes past the proxy where it can: then its commands are like any other. */
  get #isDirect(): boolean {
    if (this.#control.context.dataPath === 'proxied') return false;
    return this.#control.phase === 'cleartext' || this.#protection.state === 'clear';
  }

  /** Carries a route out: the command is done with, stays held until an event, or is to be routed anew. */
  #follow(command: Command, route: Exclude<Route, { kind: 'wait' }>): 'taken' | 'held' | 'again' {
    const { opening, securing } = this.#parts;
    switch (route.kind) {
      case 'drop':
        return 'taken';
      case 'send':
        this.#send(command, route.exchange);
        return 'taken';
      case 'answer':
        this.#control.outbox.toClient(Buffer.from(route.text));
        return 'taken';
      case 'negotiate':
        securing.negotiate();
        return 'again';
      case 'clientAuth':
        opening.beginClientAuth(command);
        return 'taken';
      case 'leaveAuth':
        opening.leaveClientAuth();
        return 'again';
      case 'protect':
        this.protect();
        return this.#protection.settled ? 'again' : 'held';
      case 'fence':
        // NOOP is answered by every server, so its reply tells that no other one is to come.
        this.#control.sendOwn('NOOP', 'silent');
        return 'held';
      case 'setUp':
        this.#chooseLegProtection();
        this.transfer.setUp(route.client, route.text);
        return 'taken';
      case 'transfer':
        this.#startTransfer(command);
        return 'taken';
      case 'judgeClear':
        securing.judgeClear('a login with a password follows an anonymous one');
        return 'held';
    }
  }

  #send(command: Command, exchange: Exchange): void {
    if (this.#control.phase === 'plain') this.#parts.securing.noteHarmless(command);
    if (exchange.kind === 'abort') this.transfer.abort();
    this.#control.send(command, exchange);
  }

  #startTransfer(command: Command): void {
    if (this.#isDirect) {
      this.#control.send(command, { kind: 'transfer' });
      return;
    }
    this.#chooseLegProtection();
    this.transfer.request(command);
  }

  #chooseLegProtection(): void {
    this.transfer.legProtection = this.#protection.state === 'private' ? 'private' : 'clear';
  }

  /** Asks for PBSZ and PROT where that is due. */
  protect(): void {
    for (const line of this.#protection.ask(this.#control.lines?.bufferProposal))
      this.#control.sendOwn(line, line.startsWith('PBSZ') ? 'pbsz' : 'prot');
  }

  // Replies

  onRead(read: Exclude<StreamRead, { kind: 'need-more' }>): void {
    switch (read.kind) {
      case 'more':
        break;
      case 'too-long':
        this.#control.fail(sentences.replyTooLong(this.#control.label));
        break;
      case 'stray':
        this.#onUnasked(read.line.raw);
        break;
      case 'line':
        this.#onLine(read);
        break;
      case 'reply':
        this.#onReply(read.exchange, read.reply);
        break;
    }
  }

  #onLine({ exchange, line, code, first }: StreamedLine): void {
    const { phase, outbox } = this.#control;
    if (exchange === undefined && NEGOTIATION_CODES.includes(code) && phase !== 'secured') {
      this.#control.fail(sentences.injected(this.#control.label));
      return;
    }
    const isFeature = exchange?.kind === 'relay' && exchange.verb === 'FEAT' && !first && !line.last;
    if (exchange === undefined) this.#onUnasked(line.raw, code);
    else if (!isFeature || phase !== 'secured' || !isOwnFeature(line.text))
      outbox.toClient(phase === 'plain' || phase === 'clientAuth' ? asOneLine(line.raw) : line.raw);
    if (line.last && exchange?.kind === 'relay') this.#onRelayed(exchange, code);
  }

  /**
   * In clear, anybody on the way can say what nobody asked for. The client would keep it and take it for the answers to what it
   * sends under protection later: a login that succeeded, a port to send its file to. A 421 only ends the session.
   */
  #onUnasked(raw: Buffer, code?: number): void {
    const { phase, outbox } = this.#control;
    const mayBeForged = phase === 'plain' || phase === 'clientAuth';
    const isOwnTime = phase === 'negotiating' || phase === 'judgingClear';
    if (isOwnTime || (mayBeForged && code !== SERVICE_ENDS)) return;
    outbox.toClient(mayBeForged ? asOneLine(raw) : raw);
  }

  #onReply(exchange: Extract<StreamRead, { kind: 'reply' }>['exchange'], reply: Reply): void {
    if (isOutOfStep(exchange.kind, reply.code)) {
      this.#control.fail(sentences.outOfStep(this.#control.label));
      return;
    }
    switch (exchange.kind) {
      case 'pbsz':
        this.#onBufferSize(reply);
        break;
      case 'silent':
        break;
      case 'clientAuth':
        this.#parts.opening.onClientAuthReply(reply);
        break;
      case 'auth':
        this.#parts.securing.onAuthReply(reply);
        break;
      case 'prot':
        if (replyClass(reply.code) !== 1) this.#protection.onProtReply(reply, this.#loggedIn);
        break;
      case 'setup':
        this.transfer.onSetupReply(reply);
        break;
      case 'transfer':
        this.transfer.onTransferReply(reply);
        break;
      case 'reinitialise':
        this.#onReinitialised(reply);
        break;
    }
  }

  /** Only where data goes in blocks does the size mean anything; one that was not proposed is an attack. */
  #onBufferSize(reply: Reply): void {
    const { lines, label } = this.#control;
    if (lines === undefined || replyClass(reply.code) === 1) return;
    const said = lines.onBufferReply(reply.lines[0] ?? '');
    if (said === 'broken') this.#control.fail(sentences.mechanismFailed(label, 'PBSZ'));
    else if (said !== 'refused') this.transfer.bufferSize = said;
  }

  #onRelayed(exchange: Extract<Exchange, { kind: 'relay' }>, code: number): void {
    if (replyClass(code) !== 2) return;
    const { verb, argument } = exchange;
    if (verb === 'HOST') this.#control.nameByClient(parseHostArgument(argument));
    if (verb === 'EPSV' && argument.trim().toUpperCase() === 'ALL') this.transfer.forms.epsvAll = true;
    if (!LOGIN_VERBS.includes(verb)) return;
    this.#loggedIn = true;
    if (this.#control.phase === 'secured') this.protect();
  }

  /** RFC 4217 section 11 lets REIN end the protection; we go on only as long as TLS does, and ask for PROT again. */
  #onReinitialised(reply: Reply): void {
    this.#control.outbox.toClient(reply.raw);
    if (replyClass(reply.code) !== 2) return;
    this.#loggedIn = false;
    this.transfer.drop();
    this.transfer.forms.epsvAll = false;
    this.#protection.reset();
    if (this.#control.phase === 'secured') this.protect();
  }
}

/**
 * PBSZ and PROT are never answered with a request for more. A server that keeps what somebody added behind AUTH in clear, and does
 * it under protection, answers a login there (CVE-2011-1575), and all answers after it would belong to other commands.
 */
function isOutOfStep(kind: Exchange['kind'], code: number): boolean {
  return (kind === 'pbsz' || kind === 'prot') && replyClass(code) === 3;
}

/** The phases in which commands go anywhere. */
function openPhase(phase: Phase): RouteView['phase'] | undefined {
  return phase === 'plain' || phase === 'clientAuth' || phase === 'secured' || phase === 'cleartext'
    ? phase
    : undefined;
}
