// dnsapi.dll through koffi: the table of Windows' DNS cache, and what the cache holds of a name. Nothing is asked on the network. Run under
// Wine against a stand-in that is compiled with windns.h (test/wine/dns-cache.c), and on no Windows yet.
import { win32 } from 'node:path';
import koffi from 'koffi';
import {
  readCacheTable,
  readRecords,
  type CacheTable,
  type CachedName,
  type Memory,
} from './dns-cache-structures.js';
import type { DnsRecord } from './dns-record.js';

/** The calls go to a service of Windows, so they run in threads of their own. */
export interface DnsCacheCalls {
  /** Undefined if Windows gives none. */
  readonly table: () => Promise<Pick<CacheTable, 'names' | 'isWhole'> | undefined>;
  /** Empty if the cache has no addresses for the name. */
  readonly records: (asked: CachedName) => Promise<readonly DnsRecord[]>;
}

const NO_WIRE_QUERY = 0x10;
const freeKind = { flat: 0, recordList: 1 } as const;
const OWN_PROCESS = -1;

/** Throws if the library or one of its functions is missing. */
export function openDnsCache(
  dll = win32.join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'dnsapi.dll'),
): DnsCacheCalls {
  const library = koffi.load(dll);
  const getTable = library.func('int DnsGetCacheDataTable(void *first)');
  const query = library.func(
    'int DnsQuery_W(const char16_t *name, uint16_t type, uint32_t options, void *extra, void *records, void *reserved)',
  );
  const free = library.func('void DnsFree(intptr_t data, int kind)');
  const memory = ownMemory();
  return {
    async table() {
      // Room for a whole line: some describe the argument as the line before the first.
      const first = Buffer.alloc(64);
      const done = await inThread((callback) => {
        getTable.async(first, callback);
      });
      const at = first.readBigUInt64LE();
      if (done === 0) return undefined;
      const { names, isWhole, blocks } = readCacheTable(memory, at);
      for (const block of blocks) free(block, freeKind.flat);
      return { names, isWhole };
    },
    async records({ name, type }) {
      const found = Buffer.alloc(8);
      const status = await inThread((callback) => {
        query.async(name, type, NO_WIRE_QUERY, null, found, null, callback);
      });
      const at = found.readBigUInt64LE();
      if (at === 0n) return [];
      const records = status === 0 ? readRecords(memory, at) : [];
      free(at, freeKind.recordList);
      return records;
    },
  };
}

type Callback = (error: unknown, result: unknown) => void;

function inThread(call: (callback: Callback) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error instanceof Error) reject(error);
      else resolve(result);
    });
  });
}

/** Says no where a pointer of its own would end the process. */
function ownMemory(): Memory {
  const read = koffi
    .load('kernel32.dll')
    .func(
      'int ReadProcessMemory(intptr_t process, intptr_t from, void *to, size_t length, void *lengthRead)',
    );
  return (address, length) => {
    const bytes = Buffer.alloc(length);
    return read(OWN_PROCESS, address, bytes, length, null) === 0 ? undefined : bytes;
  };
}
