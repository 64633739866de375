// The memory of the daemon in the second half of a soak: resident memory often, the heaps after a collection once in a while.
import { threads, type Ground } from './ground.js';
import { heapOf, residentMemory, type Rest } from './rest.js';
import { slopePerMinute, type Sample } from './slope.js';

export interface MemorySummary {
  /** KiB a minute; undefined after too short a run. */
  readonly residentSlope: number | undefined;
  readonly supervisorSlope: number | undefined;
  /** Of heaps and buffers after a full collection, while clients work. */
  readonly heapSlope: number | undefined;
  readonly samples: number;
  /** MiB at the two rests. */
  readonly resident: readonly [number, number];
  readonly supervisor: readonly [number, number];
  readonly heap: readonly [number, number];
}

/** A collection stops a thread for some milliseconds, so it is not done at every look. */
const looksPerCollection = 4;

export class Memory {
  readonly #ground: Ground;
  readonly #resident: Sample[] = [];
  readonly #supervisor: Sample[] = [];
  readonly #heap: Sample[] = [];
  readonly #timer: NodeJS.Timeout;
  #looks = 0;

  constructor(ground: Ground, everyMs: number) {
    this.#ground = ground;
    this.#timer = setInterval(() => {
      this.#look();
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  summary(before: Rest | undefined, after: Rest | undefined): MemorySummary {
    const mebibytes = (bytes: number | undefined): number => Number(((bytes ?? 0) / 1024 ** 2).toFixed(1));
    return {
      residentSlope: kibibytes(slopePerMinute(this.#resident)),
      supervisorSlope: kibibytes(slopePerMinute(this.#supervisor)),
      heapSlope: kibibytes(slopePerMinute(this.#heap)),
      samples: this.#resident.length,
      resident: [mebibytes(before?.resident.proxy), mebibytes(after?.resident.proxy)],
      supervisor: [mebibytes(before?.resident.supervisor), mebibytes(after?.resident.supervisor)],
      heap: [mebibytes(before && heapOf(before)), mebibytes(after && heapOf(after))],
    };
  }

  #look(): void {
    const at = Date.now();
    this.#resident.push({ at, value: residentMemory(this.#ground.proxyPid) });
    this.#supervisor.push({ at, value: residentMemory(this.#ground.daemon.pid) });
    this.#looks += 1;
    if (this.#looks % looksPerCollection === 0) void this.#collect();
  }

  /** A thread that does not answer in time is noticed at the next rest. */
  async #collect(): Promise<void> {
    try {
      const held = [...(await this.#ground.probed.ask(threads)).values()];
      const value = held.reduce((sum, { heap, buffers }) => sum + heap + buffers, 0);
      this.#heap.push({ at: Date.now(), value });
    } catch {
      // see above
    }
  }
}

function kibibytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : Math.round(bytes / 1024);
}
