// The client's side of the negotiation, without any I/O: replies in, steps out. After a failure nothing is sent any more, and the
// object is dead; what went wrong is for the client program and the log.
import { parseIpAddress, type IpAddress } from '../../../shared/endpoint.js';
import { fromBase64, toBase64 } from './base64.js';
import { readBrandedKey, type BrandedKey } from './branded-key.js';
import { checkSignature } from './dsa-key.js';
import { encodeElGamal, generateElGamal, type ElGamalKeyPair } from './elgamal.js';
import {
  exchangeHash,
  formatFirstAdat,
  formatProof,
  parseBody,
  parseServerAdat,
  signedExchange,
} from './exchange.js';
import type { GroupBits } from './groups.js';
import { unwrapMaster } from './key-transport.js';
import { ADAT_MAX, CHALLENGE_BYTES, WIRE_LINE_MAX } from './limits.js';
import { attempt, malformed } from './malformed.js';
import { equalBytes } from './native/digest.js';
import type { Random } from './random.js';
import { SafetpSession } from './safetp-session.js';
import { SessionKeys } from './session-keys.js';
import type { Transcript } from './transcript.js';

export type SafetpClientStep =
  /** Send this line (without CRLF) and come back with the reply. */
  | { readonly kind: 'send'; readonly line: string }
  /** The server shows this key: is it trusted? Nothing is sent before `onTrusted`. */
  | { readonly kind: 'judge'; readonly key: BrandedKey }
  /** Protected from here on. Bytes behind the 235 are an attack, which the caller checks for. */
  | { readonly kind: 'secured'; readonly session: SafetpSession; readonly key: BrandedKey }
  /** The server does not do X-SafeTP1; the connection is as it was. */
  | { readonly kind: 'refused'; readonly code: number; readonly text: string }
  /** The server, or somebody between, broke the protocol: close without sending. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface SafetpClientOptions {
  /** The address that the client dialled. */
  readonly server: IpAddress;
  readonly groupBits: GroupBits;
  readonly random: Random;
  /** Fed by the caller with every byte of the control connection, the 235 included. */
  readonly transcript: Transcript;
}

/** A reply, whole; `lines` without CRLF. */
export interface NegotiationReply {
  readonly code: number;
  readonly lines: readonly string[];
}

type State =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'authSent' }
  | { readonly kind: 'judging'; readonly key: BrandedKey }
  | {
      readonly kind: 'keySent';
      readonly key: BrandedKey;
      readonly pair: ElGamalKeyPair;
      readonly challenge: Buffer;
    }
  | { readonly kind: 'proofSent'; readonly key: BrandedKey; readonly keys: SessionKeys }
  | { readonly kind: 'over' };

/** One negotiation on one connection; never reused. */
export class SafetpClient {
  readonly #options: SafetpClientOptions;
  #state: State = { kind: 'fresh' };

  constructor(options: SafetpClientOptions) {
    this.#options = options;
  }

  start(): SafetpClientStep {
    this.#state = { kind: 'authSent' };
    return { kind: 'send', line: 'AUTH X-SafeTP1' };
  }

  /** The final reply to the line last sent. */
  onReply(reply: NegotiationReply): SafetpClientStep {
    const step = attempt(() => this.#take(reply));
    return step.kind === 'ok' ? step.value : this.#fail(step.fault.userMessage);
  }

  /** The key that was to be judged is trusted. */
  onTrusted(): SafetpClientStep {
    if (this.#state.kind !== 'judging') return this.#fail('X-SafeTP1: no key was to be judged.');
    const { groupBits, random } = this.#options;
    const pair = generateElGamal(groupBits, random);
    const challenge = random(CHALLENGE_BYTES);
    this.#state = { kind: 'keySent', key: this.#state.key, pair, challenge };
    const adat = formatFirstAdat({ elGamalKey: encodeElGamal(pair.publicKey), clientChallenge: challenge });
    return { kind: 'send', line: `ADAT ${toBase64(adat)}` };
  }

  #take(reply: NegotiationReply): SafetpClientStep {
    const state = this.#state;
    switch (state.kind) {
      case 'authSent':
        return this.#onAuthReply(reply);
      case 'keySent':
        return this.#onExchange(reply, state);
      case 'proofSent':
        return this.#onEnd(reply, state);
      case 'fresh':
      case 'judging':
      case 'over':
        throw malformed('a reply that nothing asked for');
    }
  }

  #onAuthReply(reply: NegotiationReply): SafetpClientStep {
    if (reply.code >= 400) {
      this.#state = { kind: 'over' };
      return { kind: 'refused', code: reply.code, text: reply.lines.join(' ') };
    }
    const key = readBrandedKey(adatOf(reply, 334));
    this.#state = { kind: 'judging', key };
    return { kind: 'judge', key };
  }

  #onExchange(
    reply: NegotiationReply,
    { key, pair, challenge }: Extract<State, { kind: 'keySent' }>,
  ): SafetpClientStep {
    const adat = parseServerAdat(adatOf(reply, 335));
    const signed = signedExchange(key, encodeElGamal(pair.publicKey), adat.body);
    checkSignature(key.key, signed, adat.signature);
    const body = parseBody(adat.body);
    if (!equalBytes(body.clientChallenge, challenge)) throw malformed('an answer to another challenge');
    if (!isServerAddress(body.serverAddress, this.#options.server))
      throw malformed('an answer that was made for another address');
    const keys = new SessionKeys(unwrapMaster(pair, body.ciphertext), exchangeHash(signed));
    this.#state = { kind: 'proofSent', key, keys };
    return {
      kind: 'send',
      line: `ADAT ${toBase64(formatProof(keys, body.serverChallenge, this.#options.random))}`,
    };
  }

  #onEnd(reply: NegotiationReply, { key, keys }: Extract<State, { kind: 'proofSent' }>): SafetpClientStep {
    const line = singleLine(reply, 235);
    if (/\bADAT=/i.test(line)) throw malformed('a 235 that carries data');
    this.#state = { kind: 'over' };
    const { transcript, random } = this.#options;
    return { kind: 'secured', session: new SafetpSession('client', keys, transcript.digest(), random), key };
  }

  #fail(reason: string): SafetpClientStep {
    this.#state = { kind: 'over' };
    return { kind: 'failed', reason };
  }
}

/** The line of a reply of this code, which must have one only. */
function singleLine(reply: NegotiationReply, code: number): string {
  const [line, ...more] = reply.lines;
  if (reply.code !== code || line === undefined || more.length > 0)
    throw malformed(`something else than a single line ${code}`);
  return line;
}

function adatOf(reply: NegotiationReply, code: number): Buffer {
  const line = singleLine(reply, code);
  const base64 = /^33[45] ADAT=(.*)$/i.exec(line)?.[1];
  if (base64 === undefined || line.length + 2 > WIRE_LINE_MAX) throw malformed(`a ${code} without ADAT`);
  return fromBase64(base64, ADAT_MAX);
}

/** `*` stands for a server behind address translation; all else is compared as an address, not as text. */
function isServerAddress(named: string, dialled: IpAddress): boolean {
  return named === '*' || parseIpAddress(named) === dialled;
}
