// Both sides of X-SafeTP1 on one wire, with a man in the middle who may change any line, and keys that are made once.
import { parseIpAddress, type IpAddress } from '../../../../shared/endpoint.js';
import { brandKey } from '../../../../daemon/security/safetp/branded-key.js';
import { SafetpClient, type SafetpClientStep } from '../../../../daemon/security/safetp/client.js';
import type { GroupPolicy } from '../../../../daemon/security/safetp/elgamal.js';
import type { GroupBits } from '../../../../daemon/security/safetp/groups.js';
import { dsaSignerOf, generateDsaPem } from '../../../../daemon/security/safetp/native/dsa.js';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';
import type { Random } from '../../../../daemon/security/safetp/random.js';
import type { SafetpSession } from '../../../../daemon/security/safetp/safetp-session.js';
import {
  SafetpServer,
  type SafetpServerStep,
  type ServerKey,
} from '../../../../daemon/security/safetp/server.js';
import { Transcript } from '../../../../daemon/security/safetp/transcript.js';

export function address(text: string): IpAddress {
  const parsed = parseIpAddress(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

export function makeServerKey(brand: string): ServerKey {
  const signer = dsaSignerOf(generateDsaPem());
  return { signer, branded: brandKey(signer, brand) };
}

export const SERVER = address('192.0.2.1');
export const serverKey = makeServerKey('ftp.example.org');
export const otherKey = makeServerKey('ftp.example.org');
export const STRICT: GroupPolicy = { minBits: 1024, otherPrimes: 'refuse' };

export type Middle = (from: 'client' | 'server', line: string, index: number) => string;

export interface Talk {
  readonly key?: ServerKey;
  readonly dialled?: IpAddress;
  readonly address?: IpAddress | '*';
  readonly groupBits?: GroupBits;
  readonly groups?: GroupPolicy;
  readonly clientRandom?: Random;
  readonly serverRandom?: Random;
  /** Lines that the client sends first, with the server's answers; `undefined` is what a backend says to it. */
  readonly before?: readonly { readonly line: string; readonly answer: string }[];
  /** What the middle makes of a line; the index counts the lines of that side. */
  readonly middle?: Middle;
  readonly trusted?: boolean;
}

export interface Outcome {
  readonly client: SafetpClientStep;
  readonly server: SafetpServerStep;
  readonly clientSession: SafetpSession | undefined;
  readonly serverSession: SafetpSession | undefined;
  /** Every line as it arrived. */
  readonly lines: readonly string[];
}

/** Negotiates until either side has done or given up. */
export function negotiate(talk: Talk = {}): Outcome {
  return new Conversation(talk).run();
}

/** Both sessions of a negotiation that must succeed. */
export function secured(talk: Talk = {}): { readonly client: SafetpSession; readonly server: SafetpSession } {
  const { clientSession, serverSession, client, server } = negotiate(talk);
  if (clientSession === undefined || serverSession === undefined)
    throw new Error(`not secured: ${JSON.stringify([client, server])}`);
  return { client: clientSession, server: serverSession };
}

class Conversation {
  readonly #talk: Talk;
  readonly #clientTranscript = new Transcript();
  readonly #serverTranscript = new Transcript();
  readonly #client: SafetpClient;
  readonly #server: SafetpServer;
  readonly #lines: string[] = [];
  readonly #count = { client: 0, server: 0 };
  #clientSession: SafetpSession | undefined;
  #serverSession: SafetpSession | undefined;
  #serverStep: SafetpServerStep = { kind: 'other' };

  constructor(talk: Talk) {
    this.#talk = talk;
    this.#client = new SafetpClient({
      server: talk.dialled ?? SERVER,
      groupBits: talk.groupBits ?? 1024,
      random: talk.clientRandom ?? systemRandom,
      transcript: this.#clientTranscript,
    });
    this.#server = new SafetpServer({
      key: talk.key ?? serverKey,
      address: talk.address ?? SERVER,
      groups: talk.groups ?? STRICT,
      mechanisms: ['TLS', 'X-SafeTP1'],
      random: talk.serverRandom ?? systemRandom,
      transcript: this.#serverTranscript,
    });
  }

  run(): Outcome {
    for (const { line, answer } of this.#talk.before ?? []) {
      this.#toServer(line);
      this.#toClient(answer);
    }
    let step = this.#client.start();
    while (step.kind === 'send' || step.kind === 'judge') {
      if (step.kind === 'judge') {
        if (this.#talk.trusted === false) break;
        step = this.#client.onTrusted();
        continue;
      }
      const answer = this.#serve(this.#toServer(step.line));
      if (answer === undefined) break;
      const received = this.#toClient(answer);
      step = this.#client.onReply({ code: Number(received.slice(0, 3)), lines: received.split('\r\n') });
    }
    if (step.kind === 'secured') this.#clientSession = step.session;
    return {
      client: step,
      server: this.#serverStep,
      clientSession: this.#clientSession,
      serverSession: this.#serverSession,
      lines: this.#lines,
    };
  }

  #serve(line: string): string | undefined {
    this.#serverStep = this.#server.onLine(line, 0);
    const step = this.#serverStep;
    if (step.kind === 'other') return '502 no';
    return step.line;
  }

  #toServer(line: string): string {
    this.#clientTranscript.fromClient(Buffer.from(`${line}\r\n`, 'latin1'));
    const received = this.#pass('client', line);
    this.#serverTranscript.fromClient(Buffer.from(`${received}\r\n`, 'latin1'));
    return received;
  }

  #toClient(line: string): string {
    this.#serverTranscript.fromServer(Buffer.from(`${line}\r\n`, 'latin1'));
    if (this.#serverStep.kind === 'secured') this.#serverSession = this.#serverStep.secure();
    const received = this.#pass('server', line);
    this.#clientTranscript.fromServer(Buffer.from(`${received}\r\n`, 'latin1'));
    return received;
  }

  #pass(from: 'client' | 'server', line: string): string {
    const received = this.#talk.middle?.(from, line, this.#count[from]) ?? line;
    this.#count[from] += 1;
    this.#lines.push(received);
    return received;
  }
}

/** The base64 behind `ADAT` of a line, changed. */
export function editAdat(line: string, edit: (bytes: Buffer) => Buffer): string {
  const [, head = '', base64 = ''] = /^((?:ADAT |33[45] ADAT=|ENC |632 ))(.*)$/.exec(line) ?? [];
  return `${head}${edit(Buffer.from(base64, 'base64')).toString('base64')}`;
}

/** A copy with one bit changed. */
export function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(bit / 8) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
  return copy;
}
