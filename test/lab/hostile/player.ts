// Plays a script on one connection of a hostile peer.
import { setTimeout as pause } from 'node:timers/promises';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { BareStream } from './bare-stream.js';
import { Relay } from './relay.js';
import type { Action } from './script.js';

export interface PlayerOptions {
  readonly client: Socket;
  /** The genuine server, in the middle. */
  readonly server: Socket | undefined;
  readonly key: string;
  readonly cert: string;
  readonly report: (text: string) => void;
}

const FLOOD_CHUNK = 262_144;

export class Player {
  readonly #options: PlayerOptions;
  readonly #relay: Relay | undefined;
  #stream: Duplex;
  #heard = '';
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#stream = options.client;
    options.client.setNoDelay(true);
    const onEnd = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    for (const event of ['end', 'close', 'error']) options.client.on(event, onEnd);
    if (options.server === undefined) this.#listen(options.client);
    else this.#relay = new Relay(options.client, options.server);
  }

  /** Resolves when the script is over or the client has gone. */
  async play(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      if (this.#ended) break;
      await this.#do(action);
    }
  }

  async #do(action: Action): Promise<void> {
    const { client } = this.#options;
    switch (action.kind) {
      case 'say':
        this.#stream.write(action.bytes);
        break;
      case 'hear':
        await this.#hear(action.word);
        break;
      case 'tls':
        await this.#startTls();
        break;
      case 'clear':
        client.write(action.bytes);
        break;
      case 'forge':
        this.#options.server?.write(action.bytes);
        break;
      case 'goodbye':
        this.#stream.end();
        break;
      case 'drip':
        await this.#drip(action.bytes, action.ms);
        break;
      case 'flood':
        await this.#flood(action.bytes, action.mebibytes);
        break;
      case 'wait':
        await pause(action.ms);
        break;
      case 'deaf':
        client.removeAllListeners('data').pause();
        break;
      case 'shut':
        client.end();
        break;
      case 'reset':
        client.resetAndDestroy();
        this.#options.server?.destroy();
        break;
      case 'hold':
        await this.#until(() => this.#ended);
        break;
      case 'relay':
        await this.#relay?.all();
        break;
      case 'line':
        await this.#relay?.line(action.side, action.word, action.times);
        break;
      case 'bytes':
        await this.#relay?.bytes(action.count);
        break;
    }
  }

  #listen(stream: Duplex): void {
    stream.on('data', (bytes: Buffer) => {
      this.#heard += bytes.toString('latin1');
      if (this.#heard.length > 1_000_000) this.#heard = this.#heard.slice(-1000);
      this.#wake?.();
    });
    stream.on('error', () => undefined);
  }

  async #hear(word: string): Promise<void> {
    let found = false;
    await this.#until(() => {
      for (let end = this.#heard.indexOf('\n'); end >= 0 && !found; end = this.#heard.indexOf('\n')) {
        const line = this.#heard.slice(0, end).trimEnd();
        this.#heard = this.#heard.slice(end + 1);
        this.#options.report(`heard ${line}`);
        found = line.toUpperCase().startsWith(word.toUpperCase());
      }
      return found || this.#ended;
    });
  }

  async #startTls(): Promise<void> {
    const { client, key, cert } = this.#options;
    client.removeAllListeners('data');
    const tls = new TLSSocket(new BareStream(client), { isServer: true, key, cert });
    this.#stream = tls;
    this.#heard = '';
    this.#listen(tls);
    let stands = false;
    tls.on('secure', () => {
      stands = true;
      this.#wake?.();
    });
    await this.#until(() => stands || this.#ended);
  }

  async #drip(bytes: Buffer, ms: number): Promise<void> {
    for (const byte of bytes) {
      if (this.#ended) return;
      this.#stream.write(Buffer.from([byte]));
      await pause(ms);
    }
  }

  async #flood(bytes: Buffer, mebibytes: number): Promise<void> {
    const chunk = Buffer.concat(Array<Buffer>(Math.ceil(FLOOD_CHUNK / bytes.length)).fill(bytes));
    let sent = 0;
    while (!this.#ended && sent < mebibytes * 1024 * 1024) {
      sent += chunk.length;
      if (this.#stream.write(chunk)) continue;
      let drained = false;
      this.#stream.once('drain', () => {
        drained = true;
        this.#wake?.();
      });
      await this.#until(() => drained || this.#ended);
    }
    this.#options.report(`flooded ${Math.round(sent / 1024 / 1024)} MiB`);
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
