// A session of the server proxy with a client of X-SafeTP1 and a backend around it, without sockets: what either side says is followed
// to its end, and every effect is kept.
import { LineReader } from '../../../daemon/ftp/line-reader.js';
import { encodeElGamal, generateElGamal } from '../../../daemon/security/safetp/elgamal.js';
import { SafetpClient, type SafetpClientStep } from '../../../daemon/security/safetp/client.js';
import type { GroupBits } from '../../../daemon/security/safetp/groups.js';
import { systemRandom } from '../../../daemon/security/safetp/native/random.js';
import type { SafetpSession } from '../../../daemon/security/safetp/safetp-session.js';
import { Transcript } from '../../../daemon/security/safetp/transcript.js';
import type { ServeEffect, ServeEvent } from '../../../daemon/serve/session/events.js';
import type { ServePolicy } from '../../../daemon/serve/session/policy.js';
import { ServeSession } from '../../../daemon/serve/session/serve-session.js';
import { endpoint } from '../../transcripts/notation.js';
import { SERVER, STRICT, serverKey } from '../security/safetp/fixture.js';

export interface WorldSettings extends Partial<ServePolicy> {
  /** What the backend says to a line; nothing for undefined. */
  readonly backend?: (line: string) => string | undefined;
  /** Turns for costly operations are given by hand. */
  readonly holdTurns?: boolean;
  readonly groupBits?: GroupBits;
}

/** What a backend says to the commands of these tests. */
const ANSWERS: Readonly<Record<string, string>> = {
  USER: '331 word',
  PASS: '230 in',
  EPSV: '229 ok (|||50001|)',
  RETR: '150 here',
  STOR: '150 send',
  FEAT: '211-Features:\r\n ADAT\r\n AUTH GSSAPI\r\n CCC\r\n SIZE\r\n211 End',
};

export class SafetpWorld {
  readonly session: ServeSession;
  readonly effects: ServeEffect[] = [];
  /** What the backend was told. */
  readonly asked: string[] = [];
  /** All that went to the client, as it went. */
  wire = Buffer.alloc(0);
  /** The client's side once it is secured. */
  secured: SafetpSession | undefined;
  readonly #settings: WorldSettings;
  readonly #transcript = new Transcript();
  readonly #client: SafetpClient;
  readonly #fromServer = new LineReader(65_536);
  readonly #queue: ServeEvent[] = [];
  #working = false;
  #step: SafetpClientStep | undefined;

  constructor(settings: WorldSettings = {}) {
    this.#settings = settings;
    const { require = 'secure', dataDefault = 'clear' } = settings;
    const words = settings.words ?? ['TLS'];
    this.session = new ServeSession({
      policy: { require, words, mechanisms: [...words, 'X-SafeTP1'], dataDefault },
      backend: endpoint('127.0.0.1:2121'),
      client: endpoint('192.0.2.100:40000'),
      implicit: false,
      safetp: { key: serverKey, address: SERVER, groups: STRICT, random: systemRandom },
      noEpsv: false,
      passiveProven: true,
    });
    const transcript = this.#transcript;
    const groupBits = settings.groupBits ?? 1024;
    this.#client = new SafetpClient({ server: SERVER, groupBits, random: systemRandom, transcript });
    this.#working = true;
    this.#run(this.session.start());
    this.#working = false;
    this.#work();
  }

  /** One at a time, as the driver does it: what an effect brings waits until all effects were carried out. */
  event(event: ServeEvent): void {
    this.#queue.push(event);
    this.#work();
  }

  #work(): void {
    if (this.#working) return;
    this.#working = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
      this.#run(this.session.step(next));
    this.#working = false;
  }

  /** Bytes of the client as they are. */
  raw(bytes: Uint8Array | string): void {
    this.event({ kind: 'clientBytes', bytes: Buffer.from(bytes) });
  }

  /** A line in clear that the client knows of, and the lines that came. */
  clear(line: string): readonly string[] {
    const bytes = Buffer.from(`${line}\r\n`);
    this.#transcript.fromClient(bytes);
    return this.hear(() => {
      this.raw(bytes);
    });
  }

  /** Negotiates to the end, or as far as it gets. */
  secure(): this {
    let step = (this.#step = this.#client.start());
    while (step.kind === 'send' || step.kind === 'judge') {
      if (step.kind === 'judge') {
        step = this.#client.onTrusted();
        continue;
      }
      const [line = ''] = this.clear(step.line);
      if (line === '') return this;
      step = this.#client.onReply({ code: Number(line.slice(0, 3)), lines: [line] });
    }
    this.#step = step;
    if (step.kind === 'secured') this.secured = step.session;
    return this;
  }

  /** How the client's side stands. */
  get clientState(): string {
    return this.#step?.kind ?? 'fresh';
  }

  /** A protected line as it would go on the wire. */
  seal(line: string): Buffer {
    if (this.secured === undefined) throw new Error(`not secured: ${this.wire.toString()}`);
    return this.secured.sealer.seal(Buffer.from(line, 'latin1')).wire;
  }

  /** A protected command, and the lines that came, opened. */
  ask(line: string): readonly string[] {
    const wire = this.seal(line);
    return this.hear(() => {
      this.raw(wire);
    });
  }

  has(kind: ServeEffect['kind']): boolean {
    return this.effects.some((effect) => effect.kind === kind);
  }

  all<K extends ServeEffect['kind']>(kind: K): readonly Extract<ServeEffect, { readonly kind: K }>[] {
    return this.effects.filter(
      (effect): effect is Extract<ServeEffect, { readonly kind: K }> => effect.kind === kind,
    );
  }

  get closed(): boolean {
    return this.has('close');
  }

  /** The lines that come of an action, opened. */
  hear(action: () => void): readonly string[] {
    const from = this.wire.length;
    const wasSecured = this.secured !== undefined;
    action();
    const lines: string[] = [];
    this.#fromServer.push(this.wire.subarray(from));
    for (let read = this.#fromServer.read(); read.kind === 'line'; read = this.#fromServer.read()) {
      if (!wasSecured) this.#transcript.fromServer(read.raw);
      lines.push(wasSecured ? this.#open(read.raw) : read.raw.toString('latin1').trimEnd());
    }
    return lines;
  }

  #open(raw: Buffer): string {
    const opened = this.secured?.opener.open(raw.subarray(0, -2));
    return opened?.kind === 'line'
      ? opened.line.toString('latin1')
      : `in clear: ${raw.toString('latin1').trimEnd()}`;
  }

  #run(effects: readonly ServeEffect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      this.#perform(effect);
    }
  }

  #perform(effect: ServeEffect): void {
    switch (effect.kind) {
      case 'dial':
        this.event({ kind: 'serverConnected' });
        this.event({ kind: 'serverBytes', bytes: Buffer.from('220 hello\r\n') });
        break;
      case 'sendClient':
        this.wire = Buffer.concat([this.wire, effect.bytes]);
        break;
      case 'sendServer':
        this.#backend(Buffer.from(effect.bytes).toString('latin1').trimEnd());
        break;
      case 'awaitTurn':
        if (this.#settings.holdTurns !== true) this.event({ kind: 'turn' });
        break;
      case 'listenForClient':
        this.event({
          kind: 'clientListening',
          channel: effect.channel,
          endpoint: endpoint('192.0.2.1:40001'),
        });
        break;
      case 'connectServer':
        this.event({ kind: 'serverReached', channel: effect.channel });
        break;
      default:
        break;
    }
  }

  #backend(line: string): void {
    this.asked.push(line);
    const own = this.#settings.backend?.(line);
    const answer = own ?? ANSWERS[line.split(' ')[0] ?? ''] ?? '200 ok';
    if (answer !== '') this.event({ kind: 'serverBytes', bytes: Buffer.from(`${answer}\r\n`, 'latin1') });
  }
}

/** A client's ElGamal key of another size than the world's own. */
export function clientKeyOf(bits: GroupBits): Buffer {
  return encodeElGamal(generateElGamal(bits, systemRandom).publicKey);
}
