// Pushes the newest view to every page that listens (server-sent events). Bounded: so many pages, and a page that does not read
// is cut.
import type { DaemonLink } from '../agent-state.js';
import { RateMeter } from './rate-meter.js';
import type { LiveView } from './wire.js';
import { liveView } from './views/live-view.js';
import type { UserId } from '../../shared/user-id.js';

export const MAX_STREAMS = 32;
/** Views that may wait for one page before it is taken for dead. */
const maxUnread = 32;
/** Changes within this time are one. */
const throttleMs = 150;
const sampleMs = 1000;

export interface LiveOptions {
  readonly link: DaemonLink;
  readonly now: () => number;
  readonly userName: (uid: UserId) => string;
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

export class LiveFeed {
  readonly #options: LiveOptions;
  /** Each stream with what is called while its page is there. */
  readonly #streams = new Map<Controller, () => void>();
  readonly #meter = new RateMeter();
  readonly #sampler: NodeJS.Timeout;
  readonly #unsubscribe: () => void;
  #soon: NodeJS.Timeout | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#sample();
    this.#sampler = setInterval(() => {
      this.#sample();
      this.#push();
    }, sampleMs).unref();
    this.#unsubscribe = options.link.subscribe(() => {
      this.#soon ??= setTimeout(() => {
        this.#soon = undefined;
        this.#push();
      }, throttleMs).unref();
    });
  }

  /** How many pages listen now: windows that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  view(): LiveView {
    const { link, now, userName } = this.#options;
    return liveView(link.state, { rates: this.#meter.samples, now: now(), userName });
  }

  /**
   * A stream that begins with the view as it is; undefined if too many are open. It ends when its reader goes; until
   * then `onAlive` is called now and again.
   */
  open(onAlive: () => void): ReadableStream<Uint8Array> | undefined {
    if (this.#streams.size >= MAX_STREAMS) return undefined;
    let own: Controller | undefined;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        this.#streams.set(controller, onAlive);
        controller.enqueue(encode(this.view()));
      },
      cancel: () => {
        if (own !== undefined) this.#streams.delete(own);
      },
    });
  }

  close(): void {
    clearInterval(this.#sampler);
    clearTimeout(this.#soon);
    this.#unsubscribe();
    for (const stream of this.#streams.keys()) end(stream);
    this.#streams.clear();
  }

  #sample(): void {
    const { link, now } = this.#options;
    const counters = link.state.sessions.map(({ state }) => ({
      id: state.id,
      up: state.bytesUp,
      down: state.bytesDown,
      startedAt: state.startedAt,
    }));
    this.#meter.take(counters, now());
  }

  #push(): void {
    if (this.#streams.size === 0) return;
    const bytes = encode(this.view());
    for (const [stream, onAlive] of this.#streams) {
      if ((stream.desiredSize ?? -Infinity) < -maxUnread) {
        this.#streams.delete(stream);
        end(stream);
      } else {
        stream.enqueue(bytes);
        onAlive();
      }
    }
  }
}

function end(stream: Controller): void {
  try {
    stream.close();
  } catch {
    // The reader has gone already.
  }
}

function encode(view: LiveView): Uint8Array {
  return new TextEncoder().encode(`data: ${JSON.stringify(view)}\n\n`);
}
