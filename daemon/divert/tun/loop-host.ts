// The main thread's side of a packet loop over a TUN device: opens the files, starts the thread, speaks to it, ends it in order.
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import { Fault } from '../../../shared/fault.js';
import { ErrnoError } from '../../sys/libc.js';
import { AF_INET, AF_INET6 } from '../../sys/sockaddr.js';
import { fromLoopSchema } from '../windows/loop-messages.js';
import { OriginTable } from '../windows/origin-table.js';
import { closeFile, openRawSocket, openTun, openWakeup, wake } from './kernel.js';
import { PASSED } from './tun-rules.js';
import type { MessagePort } from 'node:worker_threads';
import type { AcceptedEnds, ConnectionOrigin } from '../diverter.js';
import type { ToLoop } from '../windows/loop-messages.js';
import type { TunFiles } from './tun-source.js';

const entry = new URL('./tun-thread.js', import.meta.url);

export class LoopHost {
  readonly device: string;
  readonly #files: TunFiles;
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #origins = new OriginTable();
  readonly #ended: Promise<void>;
  #failure: Fault | undefined;
  #isStopping = false;
  #isOver = false;

  /** Opens a TUN device and starts the loop. Throws a Fault of code `not-permitted`, `missing-tool` or `redirect`. */
  constructor() {
    const { files, name } = openFiles();
    this.#files = files;
    this.device = name;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(entry, { workerData: { files, port: port2 }, transferList: [port2] });
    this.#port.on('message', (message) => {
      this.#origins.note(fromLoopSchema.parse(message));
    });
    // Neither keeps the process alive, and whatever ends it, the thread is released first: a thread inside a system call can't
    // be ended from outside, and the process would wait for it.
    this.#port.unref();
    this.#worker.unref();
    process.on('exit', this.#release);
    this.#ended = this.#watch();
  }

  /** Throws the Fault that ended the loop, if one did. */
  requireAlive(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** To a loop that has ended it is dropped. */
  tell(message: ToLoop): void {
    if (this.#isOver) return;
    this.#port.postMessage(message);
    wake(this.#files.wakeup);
  }

  /** Where a connection that the proxy accepted was going; it does not expire from now on. */
  originOf(ends: AcceptedEnds): ConnectionOrigin | undefined {
    // The announcement was posted before the connection's first packet came in, so it is here, if not yet read.
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) break;
      this.#origins.note(fromLoopSchema.parse(received.message));
    }
    const opened = this.#origins.find(ends);
    if (opened === undefined) return undefined;
    this.tell({ kind: 'pin', id: opened.id });
    return { client: opened.client, server: opened.server, uid: opened.uid };
  }

  /** Resolves when every packet that was there has been carried out, the thread has ended and the device is gone. */
  async stop(): Promise<void> {
    this.#release();
    await this.#ended;
  }

  readonly #release = (): void => {
    this.#isStopping = true;
    this.tell({ kind: 'stop' });
  };

  #watch(): Promise<void> {
    return new Promise((resolve) => {
      let cause: unknown;
      this.#worker.once('error', (error) => {
        cause = error;
      });
      this.#worker.once('exit', () => {
        this.#isOver = true;
        process.off('exit', this.#release);
        this.#port.close();
        if (!this.#isStopping) this.#failure = loopFault(cause);
        const { tun, wakeup, raw4, raw6 } = this.#files;
        for (const fd of [tun, wakeup, raw4, raw6]) closeFile(fd);
        resolve();
      });
    });
  }
}

function loopFault(cause: unknown): Fault {
  const reason = cause instanceof Error ? cause.message : 'it ended';
  return new Fault('redirect', `The packet engine has stopped (${reason}): FTP is blocked.`, cause);
}

function openFiles(): { readonly files: TunFiles; readonly name: string } {
  const opened: number[] = [];
  const keep = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  try {
    const { fd, name } = openTun('ftpseal%d');
    const tun = keep(fd);
    const wakeup = keep(openWakeup());
    const raw4 = keep(openRawSocket(AF_INET, PASSED));
    const raw6 = keep(openRawSocket(AF_INET6, PASSED));
    return { files: { tun, wakeup, raw4, raw6 }, name };
  } catch (error) {
    for (const fd of opened) closeFile(fd);
    throw openFault(error);
  }
}

const EPERM = 1;
const EACCES = 13;

function openFault(error: unknown): Fault {
  if (!(error instanceof ErrnoError)) return Fault.from(error, 'redirect');
  if (error.errno === EPERM || error.errno === EACCES) {
    return new Fault('not-permitted', 'A TUN device can’t be made without root rights.', error);
  }
  return error.call === 'open'
    ? new Fault(
        'missing-tool',
        'This kernel has no TUN devices (/dev/net/tun), which divert.layer = "tun" needs.',
        error,
      )
    : new Fault('redirect', `A TUN device can’t be made: ${error.message}.`, error);
}
