// The FTP talks of one person in a test file: each is hung up after the test that began it.
import type { LabServer } from '../harness/server.js';
import { FtpTalk } from './ftp-talk.js';
import type { Talker } from './talker.js';

export class Talks {
  readonly person: Talker;
  readonly #open: FtpTalk[] = [];

  constructor(person: Talker) {
    this.person = person;
  }

  /** Connected and greeted. */
  async open(server: LabServer, family: 'ipv4' | 'ipv6' = 'ipv4', port = 21): Promise<FtpTalk> {
    const talk = await FtpTalk.open(this.person, server.address[family], port);
    this.#open.push(talk);
    return talk;
  }

  /** A login that succeeds. */
  async logIn(server: LabServer, family: 'ipv4' | 'ipv6' = 'ipv4', port = 21): Promise<FtpTalk> {
    const talk = await this.open(server, family, port);
    await talk.login();
    return talk;
  }

  /** Ends the newest. */
  async hangUpLast(): Promise<void> {
    await this.#open.pop()?.hangUp();
  }

  async hangUp(): Promise<void> {
    for (const talk of this.#open.splice(0)) await talk.hangUp().catch(() => undefined);
  }
}
