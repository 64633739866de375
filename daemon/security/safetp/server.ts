// The server's side of the negotiation, without any I/O: lines in, answers out. It knows the verbs of RFC 2228 and leaves all
// others to its caller.
import type { IpAddress } from '../../../shared/endpoint.js';
import { fromBase64, toBase64 } from './base64.js';
import type { BrandedKey } from './branded-key.js';
import { encodeSignature } from './dsa-key.js';
import { readElGamal, type GroupPolicy } from './elgamal.js';
import {
  checkProof,
  exchangeHash,
  formatBody,
  formatServerAdat,
  parseFirstAdat,
  signedExchange,
} from './exchange.js';
import { wrapMaster } from './key-transport.js';
import { ADAT_MAX, AUTHS_MAX, CHALLENGE_BYTES, FIRST_ADAT_MS, MASTER_BYTES, STEP_MS } from './limits.js';
import { attempt } from './malformed.js';
import type { DsaSigner } from './native/dsa.js';
import type { Random } from './random.js';
import { SafetpSession } from './safetp-session.js';
import { SessionKeys } from './session-keys.js';
import type { Transcript } from './transcript.js';

/** A server's key with the brand that it shows. */
export interface ServerKey {
  readonly signer: DsaSigner;
  readonly branded: BrandedKey;
}

export type SafetpServerStep =
  /** Not ours: for the backend, or for another mechanism. */
  | { readonly kind: 'other' }
  /** Send this line (without CRLF) and wait so long for the next one. */
  | { readonly kind: 'reply'; readonly line: string; readonly waitMs: number }
  /**
   * Send this line, give it to the transcript, and then call `secure`: from there on only ENC is understood. Bytes of the client
   * that came before are an attack, which the caller checks for.
   */
  | { readonly kind: 'secured'; readonly line: string; readonly secure: () => SafetpSession }
  /** Send this line in clear, if there is one, and close. */
  | { readonly kind: 'close'; readonly line: string | undefined; readonly reason: string };

export interface SafetpServerOptions {
  readonly key: ServerKey;
  /** Where the client reached us, or `*` behind address translation. */
  readonly address: IpAddress | '*';
  readonly groups: GroupPolicy;
  /** The names for `504 … LIST=`, in order of preference. */
  readonly mechanisms: readonly string[];
  readonly random: Random;
  /** Fed by the caller with every byte of the control connection, in the order in which lines are handled and answered. */
  readonly transcript: Transcript;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'keyShown' }
  | { readonly kind: 'challenged'; readonly keys: SessionKeys; readonly challenge: Buffer }
  | { readonly kind: 'over' };

const WRONG_ORDER = '503 Bad sequence of security commands.';
const REFUSED = '535 Security data refused.';
const RFC2228_VERBS: readonly string[] = ['ADAT', 'ENC', 'MIC', 'CONF', 'CCC', 'PROT', 'PBSZ', 'DIGT'];

/** The negotiation of one connection, from its first line to the 235. */
export class SafetpServer {
  readonly #options: SafetpServerOptions;
  #state: State = { kind: 'idle' };
  #auths = 0;

  constructor(options: SafetpServerOptions) {
    this.#options = options;
  }

  /**
   * A line of the client in clear, without CRLF. `pending` is how many bytes were received behind it; with them a line of the
   * negotiation ends the connection.
   */
  onLine(line: string, pending: number): SafetpServerStep {
    const [, verb = '', argument = ''] = /^([A-Za-z]+)(?: (.*))?$/.exec(line) ?? [];
    const name = verb.toUpperCase();
    const step = name === 'AUTH' ? this.#onAuth(argument.trim()) : this.#onOther(name, argument);
    if (step.kind === 'other' || step.kind === 'close' || pending === 0) return step;
    return this.#close(undefined, 'bytes behind a line of the negotiation');
  }

  #onAuth(mechanism: string): SafetpServerStep {
    if (this.#state.kind === 'challenged' || this.#state.kind === 'over') return reply(WRONG_ORDER);
    this.#auths += 1;
    if (this.#auths > AUTHS_MAX) return this.#close('421 Too many AUTH commands.', 'too many AUTH commands');
    const { mechanisms, key } = this.#options;
    if (mechanism.toUpperCase() === 'X-SAFETP1') {
      this.#state = { kind: 'keyShown' };
      return reply(`334 ADAT=${toBase64(key.branded.encoded)}`, FIRST_ADAT_MS);
    }
    this.#state = { kind: 'idle' };
    if (mechanisms.some((name) => name.toUpperCase() === mechanism.toUpperCase())) return { kind: 'other' };
    return reply(`504 Security mechanism unrecognized. LIST=${mechanisms.join(',')}`);
  }

  #onOther(verb: string, argument: string): SafetpServerStep {
    if (!RFC2228_VERBS.includes(verb)) return { kind: 'other' };
    if (verb !== 'ADAT') return reply(WRONG_ORDER);
    const state = this.#state;
    if (state.kind !== 'keyShown' && state.kind !== 'challenged') return reply(WRONG_ORDER);
    const step = attempt(() => {
      const adat = fromBase64(argument, ADAT_MAX);
      return state.kind === 'keyShown' ? this.#onFirstAdat(adat) : this.#onProof(adat, state);
    });
    return step.kind === 'ok' ? step.value : this.#close(REFUSED, step.fault.userMessage);
  }

  #onFirstAdat(bytes: Buffer): SafetpServerStep {
    const { key, address, groups, random } = this.#options;
    const adat = parseFirstAdat(bytes);
    const elGamal = readElGamal(adat.elGamalKey, groups);
    const challenge = random(CHALLENGE_BYTES);
    const master = random(MASTER_BYTES);
    const body = formatBody({
      serverChallenge: challenge,
      clientChallenge: adat.clientChallenge,
      serverAddress: address,
      ciphertext: wrapMaster(elGamal, master, random),
    });
    const signed = signedExchange(key.branded, adat.elGamalKey, body);
    const signature = encodeSignature(key.signer.sign(signed));
    this.#state = { kind: 'challenged', keys: new SessionKeys(master, exchangeHash(signed)), challenge };
    return reply(`335 ADAT=${toBase64(formatServerAdat({ body, signature }))}`);
  }

  #onProof(bytes: Buffer, { keys, challenge }: Extract<State, { kind: 'challenged' }>): SafetpServerStep {
    checkProof(keys, challenge, bytes);
    this.#state = { kind: 'over' };
    const { random, transcript } = this.#options;
    return {
      kind: 'secured',
      line: '235 Security data exchange complete',
      secure: () => new SafetpSession('server', keys, transcript.digest(), random),
    };
  }

  #close(line: string | undefined, reason: string): SafetpServerStep {
    this.#state = { kind: 'over' };
    return { kind: 'close', line, reason };
  }
}

function reply(line: string, waitMs: number = STEP_MS): SafetpServerStep {
  return { kind: 'reply', line, waitMs };
}
