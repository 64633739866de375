// A small FTP server for the compliance suite, whose way of securing the connection is a part to be exchanged. It knows for each line
// whether it came protected.
import type { Effect } from '../../daemon/ftp/effects.js';
import type { Event } from '../../daemon/ftp/events.js';
import { systemRandom } from '../../daemon/security/safetp/native/random.js';
import type { SafetpSession } from '../../daemon/security/safetp/safetp-session.js';
import { SafetpServer } from '../../daemon/security/safetp/server.js';
import { ServerCommands } from '../../daemon/security/safetp/server-commands.js';
import { Transcript } from '../../daemon/security/safetp/transcript.js';
import { SERVER, STRICT, serverKey } from '../daemon/security/safetp/fixture.js';
import { IDENTITY } from '../transcripts/notation.js';

export interface Received {
  readonly line: string;
  readonly protected: boolean;
}

/** How a server secures a connection: what it makes of the session's effects. */
export interface Securing {
  readonly name: 'TLS' | 'X-SafeTP1';
  /** The AUTH that this server agrees to, and the code of its agreement. */
  readonly agreement: { readonly line: string; readonly code: number };
  /** A line in clear: the answer, or undefined for one that is for the backend. */
  onClearLine(line: string): string | undefined;
  /** The session began a handshake. */
  onStartTls(): readonly Event[];
  /** Whether lines come protected now. */
  readonly secured: boolean;
  /** A line off the wire while secured. */
  open(wire: Buffer): Buffer;
  /** The answer of the mechanism itself to a protected command. */
  answer(verb: string, argument: string): string | undefined;
  /** A reply onto the wire while secured. */
  seal(line: string): Buffer;
  /** Everything that goes over the wire, in order. */
  note(from: 'client' | 'server', bytes: Buffer): void;
}

export function tlsSecuring(): Securing {
  let secured = false;
  return {
    name: 'TLS',
    agreement: { line: 'AUTH TLS', code: 234 },
    onClearLine: (line) => (line === 'AUTH TLS' ? '234 go on' : undefined),
    onStartTls: () => {
      secured = true;
      return [{ kind: 'tlsEstablished', identity: IDENTITY }];
    },
    get secured() {
      return secured;
    },
    // The driver wraps the stream; the core sees what is inside.
    open: (wire) => wire,
    seal: (line) => Buffer.from(`${line}\r\n`, 'latin1'),
    answer: (verb, argument) => {
      if (verb === 'PBSZ') return '200 PBSZ=0';
      return verb === 'PROT' ? `200 ${argument}` : undefined;
    },
    note: () => undefined,
  };
}

export function safetpSecuring(): Securing {
  const transcript = new Transcript();
  const server = new SafetpServer({
    key: serverKey,
    address: SERVER,
    groups: STRICT,
    mechanisms: ['X-SafeTP1'],
    random: systemRandom,
    transcript,
  });
  let secure: (() => SafetpSession) | undefined;
  let session: SafetpSession | undefined;
  let commands: ServerCommands | undefined;
  return {
    name: 'X-SafeTP1',
    agreement: { line: 'AUTH X-SafeTP1', code: 334 },
    onClearLine: (line) => {
      const step = server.onLine(line, 0);
      if (step.kind === 'secured') secure = step.secure;
      return step.kind === 'other' ? undefined : step.line;
    },
    onStartTls: () => [],
    get secured() {
      return session !== undefined;
    },
    open: (wire) => {
      const opened = session?.opener.open(wire);
      return opened?.kind === 'line' ? opened.line : Buffer.from('not authentic');
    },
    seal: (line) => session?.sealer.seal(Buffer.from(line, 'latin1')).wire ?? Buffer.alloc(0),
    answer: (verb, argument) => commands?.answer(verb, argument),
    note: (from, bytes) => {
      if (session !== undefined) return;
      if (from === 'client') transcript.fromClient(bytes);
      else transcript.fromServer(bytes);
      if (secure === undefined || from === 'client') return;
      session = secure();
      commands = new ServerCommands({ digest: session.digest, requirePrivate: false });
    },
  };
}

/** The server's end: bytes of the session in, events for it out. */
export class TestServer {
  readonly received: Received[] = [];
  readonly #securing: Securing;
  readonly #answers: Readonly<Record<string, string>>;
  #rest = Buffer.alloc(0);

  /** `answers` by verb replace those of the backend. */
  constructor(securing: Securing, answers: Readonly<Record<string, string>> = {}) {
    this.#securing = securing;
    this.#answers = answers;
  }

  greet(): Event {
    const bytes = Buffer.from('220 hello\r\n');
    this.#securing.note('server', bytes);
    return { kind: 'serverBytes', bytes };
  }

  /** What follows from one effect of the session. */
  on(effect: Effect): readonly Event[] {
    if (effect.kind === 'startTls') return this.#securing.onStartTls();
    if (effect.kind !== 'sendServer') return [];
    const events: Event[] = [];
    this.#rest = Buffer.concat([this.#rest, Buffer.from(effect.bytes)]);
    for (let end = this.#rest.indexOf('\r\n'); end !== -1; end = this.#rest.indexOf('\r\n')) {
      const wire = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end + 2);
      this.#securing.note('client', Buffer.concat([wire, Buffer.from('\r\n')]));
      const bytes = this.#onWire(wire);
      if (bytes.length === 0) continue;
      this.#securing.note('server', bytes);
      events.push({ kind: 'serverBytes', bytes });
    }
    return events;
  }

  #onWire(wire: Buffer): Buffer {
    const { secured } = this.#securing;
    const line = (secured ? this.#securing.open(wire) : wire).toString('latin1');
    this.received.push({ line, protected: secured });
    const [verb = '', ...rest] = line.split(' ');
    const replies = this.#replies(line, verb.toUpperCase(), rest.join(' ')).split('\r\n');
    if (secured) return Buffer.concat(replies.map((reply) => this.#securing.seal(reply)));
    return Buffer.from(replies.map((reply) => `${reply}\r\n`).join(''), 'latin1');
  }

  #replies(line: string, verb: string, argument: string): string {
    const { secured } = this.#securing;
    const given = this.#answers[verb === 'AUTH' ? line : verb];
    if (given !== undefined) return given;
    const own = secured ? this.#securing.answer(verb, argument) : this.#securing.onClearLine(line);
    return own ?? BACKEND[verb] ?? '502 unknown';
  }
}

const BACKEND: Readonly<Record<string, string>> = {
  USER: '331 password',
  PASS: '230-welcome\r\n to this server\r\n230 logged in',
  FEAT: '211-Features:\r\n UTF8\r\n211 End',
  SYST: '215 UNIX',
  NOOP: '200 ok',
  EPSV: '229 ok (|||5000|)',
  RETR: '150 here it comes\r\n226 done',
  STOR: '150 send it\r\n226 done',
  QUIT: '221 bye',
};
