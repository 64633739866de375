// WinDivert 2.2 through koffi, and its errors in words. Run under Wine, with a stand-in for the driver, and on no Windows
// yet (docs/windows.md). Signatures and numbers are those of windivert.h 2.2; the DLL and its driver lie in one folder of the installation.
import koffi from 'koffi';
import { Fault } from '../../../shared/fault.js';
import type { WinDivertBatch } from './windivert-batch.js';

/** A handle as a number; the same in all threads of the process. */
export type DivertHandle = number | bigint;

export interface WinDivert {
  /** Opens a capture; throws a Fault of code `redirect`, `not-permitted` or `missing-tool`. */
  open(filter: string): DivertHandle;
  /** Waits for packets and fills the batch; `undefined` after `shutdown`, when the queue is empty. Blocks the thread. */
  receive(handle: DivertHandle, batch: WinDivertBatch): number | undefined;
  /** Sends what the batch keeps. A packet that the driver refuses is lost, as on any network. */
  send(handle: DivertHandle, batch: WinDivertBatch): void;
  /** Ends a wait in `receive`, from any thread: without it no thread and no process that waits can end. */
  shutdown(handle: DivertHandle): void;
  close(handle: DivertHandle): void;
}

const LAYER_NETWORK = 0;
const SHUTDOWN_RECEIVE = 1;
const QUEUE_LENGTH = { parameter: 0, value: 16_384 } as const;
const QUEUE_SIZE = { parameter: 2, value: 33_554_432 } as const;
const INVALID_HANDLE = -1;

/** Loads the DLL from an absolute path: a name alone could be answered from somebody else's folder. */
export function loadWinDivert(dll: string): WinDivert {
  const library = koffi.load(dll);
  const kernel = koffi.load('kernel32.dll');
  const lastError = kernel.func('uint32_t GetLastError()');
  const open = library.func(
    'intptr_t WinDivertOpen(const char *filter, int layer, int16_t priority, uint64_t flags)',
  );
  const setParam = library.func('int WinDivertSetParam(intptr_t handle, int param, uint64_t value)');
  const shutdown = library.func('int WinDivertShutdown(intptr_t handle, int how)');
  const close = library.func('int WinDivertClose(intptr_t handle)');
  const receive = library.func(
    'int WinDivertRecvEx(intptr_t handle, void *packet, uint32_t size, void *length, uint64_t flags, void *address, void *addressLength, void *overlapped)',
  );
  const send = library.func(
    'int WinDivertSendEx(intptr_t handle, void *packet, uint32_t size, void *length, uint64_t flags, void *address, uint32_t addressLength, void *overlapped)',
  );
  const received = Buffer.alloc(4);
  const addressLength = Buffer.alloc(4);
  return {
    open(filter) {
      const handle: unknown = open(filter, LAYER_NETWORK, 0, 0);
      if (!isHandle(handle) || Number(handle) === INVALID_HANDLE) throw winDivertFault(Number(lastError()));
      for (const { parameter, value } of [QUEUE_LENGTH, QUEUE_SIZE]) setParam(handle, parameter, value);
      return handle;
    },
    receive(handle, batch) {
      const { bytes, addresses } = batch;
      addressLength.writeUInt32LE(addresses.length);
      const done: unknown = receive(handle, bytes, bytes.length, received, 0, addresses, addressLength, null);
      if (done === 0) return undefined;
      return batch.begin(received.readUInt32LE(), addressLength.readUInt32LE());
    },
    send(handle, batch) {
      const { length, addressLength: size } = batch.compact();
      if (length > 0) send(handle, batch.bytes, length, null, 0, batch.addresses, size, null);
    },
    shutdown: (handle) => void shutdown(handle, SHUTDOWN_RECEIVE),
    close: (handle) => void close(handle),
  };
}

function isHandle(value: unknown): value is DivertHandle {
  return typeof value === 'number' || typeof value === 'bigint';
}

const reinstall = 'install ftpseal again';

/** What an error of WinDivertOpen means: what happened, and what to do. */
export function winDivertFault(code: number): Fault {
  const cause = new Error(`WinDivertOpen failed with error ${code}`);
  switch (code) {
    case 2:
      return new Fault('missing-tool', `The driver file WinDivert64.sys is missing: ${reinstall}.`, cause);
    case 5:
      return new Fault('not-permitted', 'Capturing packets needs administrator rights.', cause);
    case 87:
      return new Fault(
        'redirect',
        'WinDivert does not understand the capture filter; please report this.',
        cause,
      );
    case 577:
      return new Fault(
        'missing-tool',
        `Windows does not accept the signature of WinDivert64.sys: ${reinstall}; a virus scanner may have changed the file.`,
        cause,
      );
    case 1060:
    case 1114:
      return new Fault('redirect', 'The WinDivert driver can’t be loaded: restart Windows.', cause);
    case 1275:
      return new Fault(
        'redirect',
        'Windows or a virus scanner blocks the WinDivert driver: allow WinDivert64.sys there.',
        cause,
      );
    default:
      return new Fault('redirect', `WinDivert can’t be opened (error ${code}).`, cause);
  }
}
