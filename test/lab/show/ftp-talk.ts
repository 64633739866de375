// FTP spoken by hand over a talker's sockets, one line at a time, with every address on the way.
import assert from 'node:assert/strict';
import { login } from '../harness/account.js';
import type { Connected, Drained, Listening, Talker } from './talker.js';

/** One reply. `code` is 0 where the connection ended first; `text` holds every line, without the last CRLF. */
export interface Reply {
  readonly code: number;
  readonly text: string;
  readonly end: 'eof' | 'reset' | undefined;
}

/** Something that came over a data connection, and the reply after it. */
export interface Fetched extends Drained {
  readonly data: Connected;
  readonly first: Reply;
  readonly final: Reply;
}

export type PassiveForm = 'PASV' | 'EPSV';
export type ActiveForm = 'PORT' | 'EPRT';
export type Form = PassiveForm | ActiveForm;

/** One control connection. */
export class FtpTalk {
  readonly control: Connected;
  readonly #talker: Talker;

  private constructor(talker: Talker, control: Connected) {
    this.#talker = talker;
    this.control = control;
  }

  /** Connects and expects a greeting. */
  static async open(talker: Talker, host: string, port = 21): Promise<FtpTalk> {
    const talk = new FtpTalk(talker, await talker.connect(host, port));
    const greeting = await talk.reply();
    assert.equal(greeting.code, 220, greeting.text);
    return talk;
  }

  async reply(timeout = 20): Promise<Reply> {
    const lines: string[] = [];
    for (;;) {
      const { text, end } = await this.#talker.line(this.control.connection, timeout);
      if (text !== '') lines.push(text.replace(/\r?\n$/, ''));
      const code = /^([0-9]{3}) /.exec(text)?.[1];
      if (code !== undefined || end !== undefined)
        return { code: Number(code ?? 0), text: lines.join('\n'), end };
    }
  }

  /** Sends a line without waiting for what it brings. */
  say(line: string): Promise<void> {
    return this.#talker.send(this.control.connection, `${line}\r\n`);
  }

  async command(line: string, timeout = 20): Promise<Reply> {
    await this.say(line);
    return this.reply(timeout);
  }

  /** As `command`, and fails unless the reply has this code. */
  async expect(code: number, line: string): Promise<Reply> {
    const reply = await this.command(line);
    assert.equal(reply.code, code, `${line}: ${reply.text}`);
    return reply;
  }

  async login(account: { readonly user: string; readonly password: string } = login): Promise<void> {
    await this.expect(331, `USER ${account.user}`);
    await this.expect(230, `PASS ${account.password}`);
    await this.expect(200, 'TYPE I');
  }

  /** The port that the server named. */
  async passivePort(form: PassiveForm): Promise<number> {
    const { text } = await this.expect(form === 'PASV' ? 227 : 229, form);
    const numbers = (/\(([^)]*)\)/.exec(text)?.[1] ?? '').split(/[,|]/).filter((part) => part !== '');
    if (form === 'EPSV') return Number(numbers[0]);
    assert.equal(numbers.slice(0, 4).join('.'), this.control.peer[0], 'the server names its own address');
    return Number(numbers[4]) * 256 + Number(numbers[5]);
  }

  async passive(form: PassiveForm): Promise<Connected> {
    return this.#talker.connect(this.control.peer[0], await this.passivePort(form));
  }

  /** Listens and tells the server where. */
  async active(form: ActiveForm): Promise<Listening> {
    const [host] = this.control.local;
    const listening = await this.#talker.listen(host);
    await this.expect(200, activeLine(form, host, listening.port));
    return listening;
  }

  /** Asks for data in the given form and reads all of it. */
  async fetch(form: Form, line: string): Promise<Fetched> {
    const asked = form === 'PASV' || form === 'EPSV' ? await this.passive(form) : await this.active(form);
    const first = await this.command(line);
    // A refused transfer leaves the data connection as it is: the client may try again on it.
    if (first.code >= 400) return this.#leave(asked, first);
    const data = 'connection' in asked ? asked : await this.#talker.accept(asked.listener);
    const drained = await this.#talker.drain(data.connection);
    // As programs do; ProFTPD waits for it.
    await this.#talker.close(data.connection).catch(() => undefined);
    if ('listener' in asked) await this.#talker.deafen(asked.listener);
    return { ...drained, data, first, final: await this.reply(60) };
  }

  async #leave(asked: Connected | Listening, reply: Reply): Promise<Fetched> {
    const data =
      'connection' in asked ? asked : { connection: 0, local: this.control.local, peer: this.control.peer };
    if ('listener' in asked) await this.#talker.deafen(asked.listener);
    if (data.connection > 0) await this.#talker.close(data.connection).catch(() => undefined);
    return { size: 0, sha256: '', head: '', end: 'reset', data, first: reply, final: reply };
  }

  hangUp(how: 'calmly' | 'by reset' = 'calmly'): Promise<void> {
    return this.#talker.close(this.control.connection, how);
  }
}

function activeLine(form: ActiveForm, host: string, port: number): string {
  if (form === 'EPRT') return `EPRT |${host.includes(':') ? 2 : 1}|${host}|${port}|`;
  return `PORT ${host.replaceAll('.', ',')},${port >> 8},${port & 255}`;
}
