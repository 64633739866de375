// The redirect layer of Windows: the packet engine, fed by WinDivert. When this process dies, the driver lets everything pass, and
// closed-hold.ts refuses what should not.
import { CallQueue } from '../call-queue.js';
import type { Fault } from '../../../shared/fault.js';
import { formatCaptureFilter, type CaptureRanges } from './capture-filter.js';
import { ClosedHold, type HoldOptions } from './closed-hold.js';
import { LoopHost } from './loop-host.js';
import { loadWinDivert, type WinDivert } from './windivert.js';
import type { AcceptedEnds, ConnectionOrigin, DivertPlan, Diverter } from '../diverter.js';

const entry = new URL('./windivert-thread.js', import.meta.url);

export interface WinDivertOptions {
  /** Absolute path of WinDivert.dll; its driver lies beside it. */
  readonly dll: string;
  /** What ports are taken from, for as long as this object lives. */
  readonly ranges: CaptureRanges;
  readonly hold: HoldOptions;
}

interface Running {
  readonly host: LoopHost;
  readonly filter: string;
}

/** Calls are carried out one after the other. Needs administrator rights. */
export class WinDivertDiverter implements Diverter {
  readonly name = 'windivert';
  readonly #options: WinDivertOptions;
  readonly #hold: ClosedHold;
  /** An engine before the next one has lost its connections. */
  #hasLost = false;
  #divert: WinDivert | undefined;
  #running: Running | undefined;
  readonly #calls = new CallQueue();
  #onFailure: (fault: Fault) => void = () => undefined;

  constructor(options: WinDivertOptions) {
    this.#options = options;
    this.#hold = new ClosedHold(options.hold);
  }

  apply(plan: DivertPlan): Promise<void> {
    return this.#calls.run(() => this.#apply(plan));
  }

  drain(): Promise<void> {
    return this.#calls.run(() => {
      this.#running?.host.tell({ kind: 'drain' });
      return Promise.resolve();
    });
  }

  /** Nothing of a process that has died is left but the loaded driver, which does nothing by itself. */
  clear(): Promise<void> {
    return this.#calls.run(async () => {
      const running = this.#running;
      this.#running = undefined;
      await running?.host.stop();
      this.#hold.release();
    });
  }

  originOf(ends: AcceptedEnds): ConnectionOrigin | undefined {
    return this.#running?.host.originOf(ends);
  }

  onFailure(listener: (fault: Fault) => void): void {
    this.#onFailure = listener;
  }

  // Another filter, or a loop that has failed, means another handle: opened before the old one is closed, so that nothing slips
  // through between them.
  async #apply(plan: DivertPlan): Promise<void> {
    const filter = formatCaptureFilter(plan, this.#options.ranges);
    const before = this.#running;
    const isGood = before !== undefined && !before.host.isOver && before.filter === filter;
    this.#hasLost ||= this.#hold.isLeft || before?.host.isOver === true;
    // First what refuses, then the engine, then what lets by: at no time FTP finds neither.
    this.#hold.follow(plan);
    const running = isGood ? before : { host: this.#open(filter), filter };
    if (this.#hasLost) running.host.tell({ kind: 'refuseUnknown' });
    running.host.follow(plan);
    this.#running = running;
    this.#hold.letBy();
    if (!isGood) await before?.host.stop();
  }

  #open(filter: string): LoopHost {
    this.#divert ??= loadWinDivert(this.#options.dll);
    const divert = this.#divert;
    const handle = divert.open(filter);
    return new LoopHost({
      entry,
      data: { dll: this.#options.dll, handle },
      wake: () => undefined,
      release: () => {
        divert.shutdown(handle);
      },
      close: () => {
        divert.close(handle);
      },
      onFailure: (fault) => {
        this.#onFailure(fault);
      },
      // Service and proxy are of one account there, which may use FTP like any other.
      ownBy: 'port',
    });
  }
}
