// The files of the lab: pseudo-random, so that nothing compresses or repeats by chance, with a known marker in every
// kibibyte, so that any stretch of a packet that carries file content in clear is recognised.
import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** 64 bytes that appear in every kibibyte of every lab file, and nowhere else. */
export const marker = Buffer.from(
  'ftpseal lab: these 64 bytes must never cross the wire in clear.\n',
  'latin1',
);

const block = 1024;
const chunk = 1024 * block;

/** `size` bytes of deterministic content; the same seed gives the same bytes. */
export function content(size: number, seed = 1): Buffer {
  const key = Buffer.alloc(16, seed);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const bytes = cipher.update(Buffer.alloc(size));
  for (let at = 0; at + marker.length <= size; at += block) marker.copy(bytes, at);
  return bytes;
}

/** Writes `size` bytes of such content to a file, a mebibyte at a time. */
export function writeContent(file: string, size: number): void {
  const handle = openSync(file, 'w');
  for (let at = 0, seed = 1; at < size; at += chunk, seed = (seed % 250) + 1)
    writeSync(handle, content(Math.min(chunk, size - at), seed));
  closeSync(handle);
}

/** SHA-256 of a file in hex; undefined if it is not there. */
export function sha256(file: string): string | undefined {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(4 * chunk);
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return undefined;
  }
  for (let read = readSync(handle, buffer); read > 0; read = readSync(handle, buffer))
    hash.update(buffer.subarray(0, read));
  closeSync(handle);
  return hash.digest('hex');
}

/** A file's bytes; undefined if it is not there. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
