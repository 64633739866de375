// Listens to what programs of this machine look up, by systemd-resolved's monitor (varlink: JSON texts with a zero byte behind each).
// The connection is opened by the supervisor, because the monitor speaks with root alone; it is read here, without any rights.
import type { Socket } from 'node:net';
import { Fault } from '../../shared/fault.js';
import type { IpAddress } from '../../shared/endpoint.js';
import { AddressBook } from './address-book.js';
import type { HeardNames, NameSource } from './address-names.js';
import { readMonitorMessage } from './resolver-answer.js';

/** Bytes of one message; the longest answers of the DNS have 64 KiB, twice in base64 and JSON. */
const MESSAGE_MAX = 512 * 1024;
/** Milliseconds between two tries to connect. */
const RETRY_MS = { first: 1000, most: 60_000 } as const;
/** Milliseconds that a message gets to come after the answer that a program had already. */
const GRACE_MS = 25;
const SUBSCRIBE = '{"method":"io.systemd.Resolve.Monitor.SubscribeQueryResults","more":true}\0';

export interface MonitorOptions {
  /** A fresh connection to the monitor, not yet read from. Rejects with a Fault whose sentence says why there is none. */
  readonly connect: () => Promise<Socket>;
  /** Told when it begins to listen, and, once for each reason, when it does not. */
  readonly note: (message: string, fields: Readonly<Record<string, string>>) => void;
  readonly now: () => number;
}

/** `close` ends it for good. Never throws; without a monitor it knows nothing and tries again. */
export class ResolvedMonitor implements NameSource {
  readonly #options: MonitorOptions;
  readonly #book: AddressBook;
  readonly #waiting = new Map<IpAddress, Set<() => void>>();
  #socket: Socket | undefined;
  #listening = false;
  #retryMs: number = RETRY_MS.first;
  #retry: NodeJS.Timeout | undefined;
  #lastTrouble = '';
  #closed = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#book = new AddressBook(options.now);
    void this.#connect();
  }

  namesOf(address: IpAddress): HeardNames {
    return this.#book.namesOf(address);
  }

  async heard(address: IpAddress): Promise<void> {
    if (!this.#listening || this.namesOf(address).current.length > 0) return;
    await new Promise<void>((resolve) => {
      const waiting = this.#waiting.get(address) ?? new Set();
      this.#waiting.set(address, waiting);
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(done);
        if (waiting.size === 0) this.#waiting.delete(address);
        resolve();
      };
      const timer = setTimeout(done, GRACE_MS).unref();
      waiting.add(done);
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  async #connect(): Promise<void> {
    try {
      const socket = await this.#options.connect();
      if (this.#closed) socket.destroy();
      else this.#listen(socket);
    } catch (error) {
      this.#lost(Fault.from(error).userMessage);
    }
  }

  #listen(socket: Socket): void {
    this.#socket = socket;
    let trouble: string | undefined;
    let rest = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      const texts = splitMessages(Buffer.concat([rest, bytes]));
      rest = Buffer.from(texts.rest);
      for (const text of texts.whole) trouble ??= this.#read(text);
      if (rest.length > MESSAGE_MAX) trouble ??= 'a message without end came';
      if (trouble !== undefined) socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#lost(trouble ?? 'systemd-resolved ended the connection');
    });
    socket.write(SUBSCRIBE);
    socket.resume();
  }

  /** Returns why the connection is of no use. */
  #read(text: string): string | undefined {
    const message = readMonitorMessage(text);
    switch (message?.kind) {
      case undefined:
        // Whoever can make an answer unreadable must not gain from its name being unheard.
        this.#book.miss();
        return undefined;
      case 'error':
        return `it refuses: ${message.error}`;
      case 'ready':
        this.#listening = true;
        this.#retryMs = RETRY_MS.first;
        this.#lastTrouble = '';
        this.#options.note('listening to what programs look up', {});
        return undefined;
      case 'heard':
        for (const answer of message.answers) {
          this.#book.hear(answer);
          for (const address of answer.addresses)
            for (const done of [...(this.#waiting.get(address) ?? [])]) done();
        }
        return undefined;
    }
  }

  #lost(trouble: string): void {
    this.#socket = undefined;
    this.#listening = false;
    if (this.#closed) return;
    if (trouble !== this.#lastTrouble)
      this.#options.note('not listening to what programs look up', { trouble });
    this.#lastTrouble = trouble;
    this.#retry = setTimeout(() => void this.#connect(), this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
  }
}

function splitMessages(bytes: Buffer): { readonly whole: readonly string[]; readonly rest: Buffer } {
  const whole: string[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    whole.push(bytes.toString('utf8', start, end));
    start = end + 1;
  }
  return { whole, rest: bytes.subarray(start) };
}
