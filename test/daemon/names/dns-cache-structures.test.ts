// Memory as dnsapi.dll would fill it, and as it never should. That the layout is that of windns.h is in test/wine/dns-cache.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCacheTable, readRecords, type Memory } from '../../../daemon/names/dns-cache-structures.js';

const BASE = 0x7ff0_0000_0000n;

/** Its end can't be read, and neither can anything else. */
class Heap {
  readonly #bytes = Buffer.alloc(4 * 1024 * 1024);
  #end = 0;

  readonly memory: Memory = (address, length) => {
    const start = Number(address - BASE);
    if (start < 0 || start + length > this.#bytes.length) return undefined;
    return this.#bytes.subarray(start, start + length);
  };

  put(bytes: Buffer, gap = 0): bigint {
    const at = this.#end + gap;
    bytes.copy(this.#bytes, at);
    this.#end = Math.ceil((at + bytes.length) / 8) * 8;
    return BASE + BigInt(at);
  }

  text(text: string): bigint {
    return this.put(Buffer.from(`${text}\0`, 'utf16le'));
  }

  line(next: bigint, name: bigint, type: number): bigint {
    const bytes = Buffer.alloc(24);
    bytes.writeBigUInt64LE(next);
    bytes.writeBigUInt64LE(name, 8);
    bytes.writeUInt16LE(type, 16);
    return this.put(bytes);
  }

  record(next: bigint, name: string, type: number, ttl: number, data: Buffer): bigint {
    const bytes = Buffer.alloc(32);
    bytes.writeBigUInt64LE(next);
    bytes.writeBigUInt64LE(this.text(name), 8);
    bytes.writeUInt16LE(type, 16);
    bytes.writeUInt32LE(ttl, 24);
    return this.put(Buffer.concat([bytes, data]));
  }

  get last(): bigint {
    return BASE + BigInt(this.#bytes.length);
  }
}

const pointer = (to: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(to);
  return bytes;
};

describe('the table of the DNS cache', () => {
  it('has the host names of addresses and aliases, and all is freed', () => {
    const heap = new Heap();
    const lines = [
      ['mail.example', 15],
      ['Ftp.Example.', 1],
      ['www.example', 5],
      [`${'a'.repeat(63)}.${'b'.repeat(63)}.six.example`, 28],
      ['no name', 1],
      ['192.0.2.1', 1],
      ['', 1],
    ] as const;
    const first = lines.reduceRight((next, [name, type]) => heap.line(next, heap.text(name), type), 0n);
    const table = readCacheTable(heap.memory, first);
    assert.deepEqual(table.names, [
      { name: 'ftp.example', type: 1 },
      { name: 'www.example', type: 5 },
      { name: `${'a'.repeat(63)}.${'b'.repeat(63)}.six.example`, type: 28 },
    ]);
    assert.equal(table.isWhole, true);
    assert.equal(table.blocks.length, 2 * lines.length);
  });

  it('is not read beyond its bound, and freed all the same', () => {
    const heap = new Heap();
    const name = (n: number) => heap.text(`n${n}.example`);
    let first = 0n;
    for (let n = 0; n < 5000; n += 1) first = heap.line(first, name(n), 1);
    const table = readCacheTable(heap.memory, first);
    assert.equal(table.names.length, 4096);
    assert.equal(table.isWhole, false);
    assert.equal(table.blocks.length, 10_000);
  });

  it('ends where memory can’t be read, in a circle, and in a name without end', () => {
    const heap = new Heap();
    const endless = heap.text('x'.repeat(1000));
    const broken = heap.line(heap.last - 8n, endless, 1);
    const first = heap.line(broken, heap.last - 2n, 1);
    const lost = readCacheTable(heap.memory, first);
    assert.deepEqual(lost, {
      names: [],
      isWhole: false,
      blocks: [first, heap.last - 2n, broken, endless],
    });
    const circle = heap.line(0n, heap.text('a.example'), 1);
    heap.memory(circle, 8)?.writeBigUInt64LE(circle);
    assert.equal(readCacheTable(heap.memory, circle).names.length, 1);
    assert.deepEqual(readCacheTable(heap.memory, 0n), { names: [], isWhole: true, blocks: [] });
  });
});

describe('records of the DNS cache', () => {
  it('are addresses and aliases; all others are passed over', () => {
    const heap = new Heap();
    const six = Buffer.from('20010db8000000000000000000000007', 'hex');
    const mapped = Buffer.from('00000000000000000000ffffc0000207', 'hex');
    let first = heap.record(0n, 'ftp.example', 28, 9, mapped);
    first = heap.record(first, 'ftp.example', 16, 9, pointer(1n));
    first = heap.record(first, 'ftp.example', 28, 40, six);
    first = heap.record(first, 'no name', 1, 9, Buffer.from([192, 0, 2, 8]));
    first = heap.record(first, 'FTP.example', 1, 30, Buffer.from([192, 0, 2, 7]));
    first = heap.record(first, 'lost.example', 5, 9, pointer(heap.last));
    first = heap.record(first, 'www.example', 5, 20, pointer(heap.text('ftp.example')));
    assert.deepEqual(readRecords(heap.memory, first), [
      { kind: 'alias', owner: 'www.example', ttl: 20, target: 'ftp.example' },
      { kind: 'address', owner: 'ftp.example', ttl: 30, address: '192.0.2.7' },
      { kind: 'address', owner: 'ftp.example', ttl: 40, address: '2001:db8::7' },
    ]);
  });

  it('end where memory can’t be read, and in a circle', () => {
    const heap = new Heap();
    const only = heap.record(heap.last, 'ftp.example', 1, 30, Buffer.from([192, 0, 2, 7]));
    assert.equal(readRecords(heap.memory, only).length, 1);
    heap.memory(only, 8)?.writeBigUInt64LE(only);
    assert.equal(readRecords(heap.memory, only).length, 256);
    assert.deepEqual(readRecords(heap.memory, heap.last), []);
  });
});
