// This process as a service of Windows: its life as the service manager sees it. What it does meanwhile is the caller's. Windows only.
import koffi, { type LibraryHandle, type TypeObject } from 'koffi';
import { Fault } from '../../shared/fault.js';

const OWN_PROCESS = 0x10;
const state = { stopped: 1, startPending: 2, stopPending: 3, running: 4 } as const;
const control = { stop: 1, interrogate: 4, shutdown: 5 } as const;
const ACCEPT_STOP_AND_SHUTDOWN = 1 | 4;
/** The exit code that says: see the service's own. */
const ERROR_SERVICE_SPECIFIC = 1066;
/** How long a start or a stop may take before the manager takes it for hung. */
const HINT_MS = 30_000;
const STATUS_BYTES = 28;

export interface ServiceLife {
  /** The service is ready for its work. */
  readonly running: () => void;
  /** Aborted when the manager wants an end: at a stop and when Windows shuts down. */
  readonly stop: AbortSignal;
}

type Call = (...args: readonly unknown[]) => unknown;

interface Calls {
  readonly dispatch: ReturnType<LibraryHandle['func']>;
  readonly register: Call;
  readonly setStatus: Call;
  readonly mainType: TypeObject;
  readonly handlerType: TypeObject;
}

/**
 * Runs `work` as the service `name`, which the manager has started; resolves when it has ended and the manager knows. Its exit
 * code is the service's. Rejects with a Fault of code `usage` if this process was not started by the manager.
 */
export async function runService(
  name: string,
  work: (life: ServiceLife) => Promise<number>,
): Promise<number> {
  const calls = loadCalls();
  const stop = new AbortController();
  const service = new Service(calls, stop);
  const begun = new Promise<void>((resolve) => {
    service.onBegin = resolve;
  });
  const dispatched = service.dispatch(name);
  // The dispatcher returns at once where there is no manager, and after the end otherwise.
  const isService = await Promise.race([begun.then(() => true), dispatched.then(() => false)]);
  if (!isService) {
    throw new Fault(
      'usage',
      'Windows starts this as a service, and nobody else. On a terminal, as an administrator: ftpseal daemon --foreground',
    );
  }
  let code = 1;
  try {
    const running = (): void => {
      service.tell('running');
    };
    code = await work({ running, stop: stop.signal });
  } finally {
    service.tell('stopped', code);
    await dispatched;
  }
  return code;
}

class Service {
  onBegin: () => void = () => undefined;
  readonly #calls: Calls;
  readonly #stop: AbortController;
  #handle: unknown;
  #state: keyof typeof state = 'startPending';
  #checkpoint = 0;
  /** The dispatcher's memory for as long as it runs. */
  readonly #lent: Buffer[] = [];

  constructor(calls: Calls, stop: AbortController) {
    this.#calls = calls;
    this.#stop = stop;
  }

  /** Resolves when the dispatcher returns. Its callbacks come from other threads and are run in this one. */
  dispatch(name: string): Promise<void> {
    const text = Buffer.from(`${name}\0`, 'utf16le');
    const { mainType, handlerType } = this.#calls;
    const handler = koffi.register((wanted: number) => this.#onControl(wanted), koffi.pointer(handlerType));
    const main = koffi.register(() => {
      this.#handle = this.#calls.register(name, handler, null);
      this.tell('startPending');
      this.onBegin();
    }, koffi.pointer(mainType));
    const table = Buffer.alloc(32);
    this.#lent.push(text, table);
    table.writeBigUInt64LE(koffi.address(text), 0);
    table.writeBigUInt64LE(main, 8);
    return new Promise((resolve) => {
      this.#calls.dispatch.async(table, () => {
        resolve();
      });
    });
  }

  tell(next: keyof typeof state, code = 0): void {
    if (this.#handle === undefined || (next === 'running' && this.#state !== 'startPending')) return;
    this.#state = next;
    const status = Buffer.alloc(STATUS_BYTES);
    const isPending = next === 'startPending' || next === 'stopPending';
    this.#checkpoint = isPending ? this.#checkpoint + 1 : 0;
    status.writeUInt32LE(OWN_PROCESS, 0);
    status.writeUInt32LE(state[next], 4);
    status.writeUInt32LE(next === 'running' ? ACCEPT_STOP_AND_SHUTDOWN : 0, 8);
    status.writeUInt32LE(code === 0 ? 0 : ERROR_SERVICE_SPECIFIC, 12);
    status.writeUInt32LE(code, 16);
    status.writeUInt32LE(this.#checkpoint, 20);
    status.writeUInt32LE(isPending ? HINT_MS : 0, 24);
    this.#calls.setStatus(this.#handle, status);
  }

  #onControl(wanted: number): number {
    if (wanted === control.stop || wanted === control.shutdown) {
      this.tell('stopPending');
      this.#stop.abort();
    } else if (wanted === control.interrogate) this.tell(this.#state);
    return 0;
  }
}

function loadCalls(): Calls {
  const library = koffi.load('advapi32.dll');
  const mainType = koffi.proto('void __stdcall FtpsealServiceMain(uint32_t argc, void *argv)');
  const handlerType = koffi.proto(
    'uint32_t __stdcall FtpsealServiceHandler(uint32_t control, uint32_t type, void *data, void *context)',
  );
  return {
    mainType,
    handlerType,
    dispatch: library.func('int __stdcall StartServiceCtrlDispatcherW(void *table)'),
    register: library.func(
      'intptr_t __stdcall RegisterServiceCtrlHandlerExW(const char16_t *name, FtpsealServiceHandler *handler, void *context)',
    ),
    setStatus: library.func('int __stdcall SetServiceStatus(intptr_t service, void *status)'),
  };
}
