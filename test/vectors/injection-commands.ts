// Command injection at the server proxy, the other half of NO STARTTLS: what somebody on the way adds to the client's side in clear
// must neither be done under protection nor shift the answers to what the client says there.
import type { ServeContext } from '../../daemon/serve/session/policy.js';
import { ServeSession } from '../../daemon/serve/session/serve-session.js';
import type { ServeEffect, ServeEvent } from '../../daemon/serve/session/events.js';
import { endpoint } from '../transcripts/notation.js';

/** What an attacker adds in front of the client's AUTH or behind it: one command, several, or part of one. */
export const INJECTED_COMMANDS: readonly { readonly name: string; readonly bytes: string }[] = [
  ...[
    'USER mallory',
    'PASS mallory',
    'ACCT mallory',
    'HOST mallory.example',
    'CLNT mallory',
    'OPTS UTF8 mallory',
    'LANG mallory',
    'SITE mallory',
    'CWD mallory',
    'REIN',
    'CCC',
    'PBSZ 0',
    'PROT C',
    'AUTH TLS',
    'AUTH GSSAPI',
    'AUTH X-SafeTP1',
    'ADAT bWFsbG9yeQ==',
    'MIC bWFsbG9yeQ==',
    'FEAT',
    'NOOP',
    'STAT',
    'PASV',
    'EPSV ALL',
    'PORT 198,51,100,66,100,100',
    'STOR mallory',
    'ABOR',
    'QUIT',
    'NOOP mallory\rUSER mallory',
    'NOOP mal\0lory',
    '\xff\xf4\xff\xf2USER mallory',
    ' USER mallory',
    '',
  ].map((line) => ({ name: JSON.stringify(line), bytes: `${line}\r\n` })),
  { name: 'a login', bytes: 'USER mallory\r\nPASS mallory\r\n' },
  { name: 'a login with bare line feeds', bytes: 'USER mallory\nPASS mallory\n' },
  { name: 'what lasts, and a login', bytes: 'OPTS UTF8 mallory\r\nUSER mallory\r\nPASS mallory\r\n' },
  { name: 'protection, and a login', bytes: 'PBSZ 0\r\nPROT C\r\nUSER mallory\r\nPASS mallory\r\n' },
  { name: 'half a line', bytes: 'USER mall' },
  { name: 'half a verb', bytes: 'US' },
  { name: 'a ClientHello', bytes: '\x16\x03\x01\x00\x05\x01' },
];

/** Where the attacker's bytes come in. */
export type InjectionPlace = 'in front of AUTH' | 'behind AUTH';

/** What came of it. */
export interface CommandAftermath {
  /** The client was told to begin TLS, and did. */
  readonly secured: boolean;
  /** All that the client got under protection. */
  readonly answers: readonly string[];
  /** All that the backend's last connection was told, before protection and under it. */
  readonly before: readonly string[];
  readonly under: readonly string[];
}

/** What the client says under protection. */
export const VICTIM: readonly string[] = [
  'PBSZ 0',
  'PROT P',
  'USER bob',
  'PASS secret',
  'PWD',
  'CWD x',
  'QUIT',
];

/** Plays the attack, the bytes that come in clear cut in two at `cut`; undefined when there is no such cut. */
export function playCommands(
  place: InjectionPlace,
  injected: string,
  cut: number,
  require: ServeContext['policy']['require'],
): CommandAftermath | undefined {
  const clear = Buffer.from(
    place === 'behind AUTH' ? `AUTH TLS\r\n${injected}` : `${injected}AUTH TLS\r\n`,
    'latin1',
  );
  if (cut > clear.length) return undefined;
  const attack = new Attack(require);
  for (const piece of [clear.subarray(0, cut), clear.subarray(cut)])
    if (piece.length > 0) attack.step({ kind: 'clientBytes', bytes: piece });
  attack.secure();
  for (const line of VICTIM) attack.step({ kind: 'clientBytes', bytes: Buffer.from(`${line}\r\n`) });
  return attack.aftermath;
}

class Attack {
  readonly #session: ServeSession;
  readonly #due: ServeEvent[] = [];
  #begun = false;
  #secured = false;
  readonly #answers: string[] = [];
  #before: string[] = [];
  readonly #under: string[] = [];

  constructor(require: ServeContext['policy']['require']) {
    const words = ['TLS', 'TLS-C', 'TLS-P', 'SSL'];
    this.#session = new ServeSession({
      policy: { require, words, mechanisms: words, dataDefault: 'clear' },
      backend: endpoint('127.0.0.1:2121'),
      client: endpoint('192.0.2.100:40000'),
      implicit: false,
      safetp: undefined,
      noEpsv: false,
      passiveProven: true,
    });
    this.#note(this.#session.start());
    this.#settle();
  }

  get aftermath(): CommandAftermath {
    return {
      secured: this.#secured,
      answers: this.#answers,
      before: this.#before,
      under: this.#under,
    };
  }

  step(event: ServeEvent): void {
    this.#note(this.#session.step(event));
    this.#settle();
  }

  /** The client's handshake, if it was told to begin one. */
  secure(): void {
    if (!this.#begun) return;
    this.#secured = true;
    this.step({ kind: 'clientSecured' });
  }

  #settle(): void {
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift())
      this.#note(this.#session.step(next));
  }

  #note(effects: readonly ServeEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'dial') this.#onDial();
      else if (effect.kind === 'secureClient') this.#begun = true;
      else if (effect.kind === 'close') this.#begun = false;
      else if (effect.kind === 'sendClient' && this.#secured) this.#answers.push(...linesOf(effect.bytes));
      else if (effect.kind === 'sendServer') this.#onSent(linesOf(effect.bytes));
    }
  }

  #onDial(): void {
    this.#before = [];
    this.#due.push({ kind: 'serverConnected' }, says('220 ready'));
  }

  #onSent(lines: readonly string[]): void {
    (this.#secured ? this.#under : this.#before).push(...lines);
    for (const line of lines) this.#due.push(says(answerTo(line)));
    if (lines.includes('QUIT')) this.#due.push({ kind: 'serverClosed', how: 'ended' });
  }
}

/** The backend's answer, which names the command that it belongs to. */
export function answerTo(line: string): string {
  const code = { USER: '331', PASS: '230', QUIT: '221' }[line.slice(0, 4)] ?? '200';
  return `${code} to ${JSON.stringify(line)}`;
}

function says(line: string): ServeEvent {
  return { kind: 'serverBytes', bytes: Buffer.from(`${line}\r\n`) };
}

function linesOf(bytes: Uint8Array): readonly string[] {
  return Buffer.from(bytes)
    .toString('latin1')
    .split(/\r?\n/)
    .filter((line) => line !== '');
}
