// The middle's hands on a relayed connection: line by line while a script waits for one, then byte by byte.
import type { Socket } from 'node:net';
import type { Side } from './script.js';

interface Wait {
  readonly side: Side;
  readonly word: string;
  readonly times: 0 | 1 | 2;
  readonly done: () => void;
}

export class Relay {
  readonly #to: Readonly<Record<Side, Socket>>;
  readonly #pending: Record<Side, Buffer> = { C: Buffer.alloc(0), S: Buffer.alloc(0) };
  #wait: Wait | undefined;
  /** Nothing passes before the script says so. */
  #open = false;
  #countdown: { left: number; readonly done: () => void } | undefined;
  #over: () => void = () => undefined;

  constructor(client: Socket, server: Socket) {
    this.#to = { C: server, S: client };
    client.on('data', (bytes) => {
      this.#on('C', bytes);
    });
    server.on('data', (bytes) => {
      this.#on('S', bytes);
    });
    for (const socket of [client, server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        server.destroy();
        this.#over();
        this.#wait?.done();
        this.#countdown?.done();
      });
    }
  }

  /** Resolves when either side has ended. */
  all(): Promise<void> {
    this.#open = true;
    this.#flush();
    return new Promise((resolve) => (this.#over = resolve));
  }

  /** Relays lines up to the one that begins so; that one passes `times` times. */
  line(side: Side, word: string, times: 0 | 1 | 2): Promise<void> {
    return new Promise((done) => {
      this.#wait = { side, word: word.toUpperCase(), times, done };
      this.#flush();
    });
  }

  /** Relays until so many bytes of the server have passed. */
  bytes(count: number): Promise<void> {
    return new Promise((done) => {
      this.#countdown = { left: count, done };
      this.#open = true;
      this.#flush();
    });
  }

  #on(side: Side, bytes: Buffer): void {
    this.#pending[side] = Buffer.concat([this.#pending[side], bytes]);
    this.#flush();
  }

  #flush(): void {
    for (const side of ['C', 'S'] as const) {
      if (this.#open) this.#passAll(side);
      else this.#passLines(side);
    }
  }

  #passAll(side: Side): void {
    let bytes = this.#pending[side];
    const countdown = side === 'S' ? this.#countdown : undefined;
    if (countdown !== undefined) bytes = bytes.subarray(0, countdown.left);
    this.#pending[side] = this.#pending[side].subarray(bytes.length);
    if (bytes.length > 0) this.#to[side].write(bytes);
    if (countdown === undefined) return;
    countdown.left -= bytes.length;
    if (countdown.left > 0) return;
    this.#countdown = undefined;
    this.#open = false;
    countdown.done();
  }

  #passLines(side: Side): void {
    while (this.#wait !== undefined) {
      const end = this.#pending[side].indexOf(0x0a);
      if (end === -1) return;
      const line = this.#pending[side].subarray(0, end + 1);
      this.#pending[side] = this.#pending[side].subarray(end + 1);
      const { side: wanted, word, times, done } = this.#wait;
      const isIt = side === wanted && line.toString('latin1').toUpperCase().startsWith(word);
      // In one packet: of two, the second may come before or after what the first one brings about.
      const copies = Array.from({ length: isIt ? times : 1 }, () => line);
      if (copies.length > 0) this.#to[side].write(Buffer.concat(copies));
      if (!isIt) continue;
      this.#wait = undefined;
      done();
    }
  }
}
