// The Windows Filtering Platform (fwpuclnt.dll) through koffi: sessions, filters, all or nothing. Run under Wine against a stand-in that
// is compiled with the platform's own headers (test/wine/windivert/filters.c), and on no Windows yet.
import { win32 } from 'node:path';
import koffi from 'koffi';
import { Fault } from '../../../shared/fault.js';
import {
  dynamicSession,
  filterStructure,
  guidBytes,
  sublayerStructure,
  type ConnectFilter,
  type Structure,
} from './filter-structures.js';

/** A connection to the platform. Every method throws a Fault of code `redirect` with Windows' number. */
export interface FilterSession {
  /** Carries out `act` as one change: all of it, or nothing if it throws. */
  readonly change: (act: () => void) => void;
  readonly addSublayer: (key: string, name: string) => void;
  /** One that is not there, or that somebody still uses, is left. */
  readonly removeSublayer: (key: string) => void;
  readonly add: (filter: ConnectFilter, sublayer: string) => void;
  /** False if there was none of that key. */
  readonly remove: (key: string) => boolean;
  /** Filters of a session for life go with it. */
  readonly close: () => void;
}

const AUTHENTICATION_WINDOWS = 10;
const notFound = [0x8032_0003, 0x8032_0007];
const ALREADY_EXISTS = 0x8032_0009;
const IN_USE = 0x8032_000a;

type Call = (...args: readonly unknown[]) => unknown;
const signatures = {
  FwpmEngineOpen0:
    'uint32_t FwpmEngineOpen0(void *server, uint32_t service, void *identity, void *session, void *engine)',
  FwpmEngineClose0: 'uint32_t FwpmEngineClose0(intptr_t engine)',
  FwpmTransactionBegin0: 'uint32_t FwpmTransactionBegin0(intptr_t engine, uint32_t flags)',
  FwpmTransactionCommit0: 'uint32_t FwpmTransactionCommit0(intptr_t engine)',
  FwpmTransactionAbort0: 'uint32_t FwpmTransactionAbort0(intptr_t engine)',
  FwpmSubLayerAdd0: 'uint32_t FwpmSubLayerAdd0(intptr_t engine, void *layer, void *security)',
  FwpmSubLayerDeleteByKey0: 'uint32_t FwpmSubLayerDeleteByKey0(intptr_t engine, void *key)',
  FwpmFilterAdd0: 'uint32_t FwpmFilterAdd0(intptr_t engine, void *filter, void *security, void *id)',
  FwpmFilterDeleteByKey0: 'uint32_t FwpmFilterDeleteByKey0(intptr_t engine, void *key)',
} as const;

let calls: ReadonlyMap<string, Call> | undefined;

function load(): ReadonlyMap<string, Call> {
  const library = koffi.load(
    win32.join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'fwpuclnt.dll'),
  );
  return new Map(
    Object.entries(signatures).map(([name, text]): [string, Call] => [name, library.func(text)]),
  );
}

/** Opens a session; what is added in one `for-life` is gone when this process is, however it ends. Needs administrator rights. */
export function openFilterSession(lifetime: 'lasting' | 'for-life'): FilterSession {
  calls ??= load();
  const handle = Buffer.alloc(8);
  const session = lifetime === 'for-life' ? dynamicSession() : undefined;
  requireDone(
    'opened',
    call('FwpmEngineOpen0', null, AUTHENTICATION_WINDOWS, null, session?.bytes ?? null, handle),
  );
  const engine = handle.readBigInt64LE();
  return {
    change(act) {
      requireDone('changed', call('FwpmTransactionBegin0', engine, 0));
      try {
        act();
        requireDone('changed', call('FwpmTransactionCommit0', engine));
      } catch (error) {
        call('FwpmTransactionAbort0', engine);
        throw error;
      }
    },
    addSublayer(key, name) {
      const code = withParts(sublayerStructure(key, name), (bytes) =>
        call('FwpmSubLayerAdd0', engine, bytes, null),
      );
      if (code !== ALREADY_EXISTS) requireDone('given a sublayer', code);
    },
    removeSublayer(key) {
      const code = call('FwpmSubLayerDeleteByKey0', engine, guidBytes(key));
      if (!notFound.includes(code) && code !== IN_USE) requireDone('freed of a sublayer', code);
    },
    add(filter, sublayer) {
      const code = withParts(filterStructure(filter, sublayer), (bytes) =>
        call('FwpmFilterAdd0', engine, bytes, null, null),
      );
      requireDone('given a filter', code);
    },
    remove(key) {
      const code = call('FwpmFilterDeleteByKey0', engine, guidBytes(key));
      if (notFound.includes(code)) return false;
      requireDone('freed of a filter', code);
      return true;
    },
    close: () => void call('FwpmEngineClose0', engine),
  };
}

function call(name: keyof typeof signatures, ...args: readonly unknown[]): number {
  return Number(calls?.get(name)?.(...args)) >>> 0;
}

/** What the pointers of a structure point to, while a call reads it: they are numbers and keep nothing alive. */
const lent: Buffer[] = [];

function withParts(structure: Structure, use: (bytes: Buffer) => number): number {
  lent.push(...structure.parts);
  try {
    return use(structure.bytes);
  } finally {
    lent.length = 0;
  }
}

function requireDone(what: string, code: number): void {
  if (code === 0) return;
  throw new Fault(
    'redirect',
    `The filters of Windows could not be ${what} (error 0x${code.toString(16)}); its service “Base Filtering Engine” must run.`,
  );
}
