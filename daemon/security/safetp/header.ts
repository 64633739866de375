// The headers in front of every protected line and block. The receiver compares the whole header with the one it expects, so a
// line can't pass as a block, one's own words not as the peer's, and nothing twice.
import { u32 } from './encoding.js';
import type { Direction } from './session-keys.js';

/** How data blocks are protected: `P` encrypted and authenticated, `S` authenticated. */
export type DataLevel = 'S' | 'P';

const FROM_SERVER = 1;
const DATA = 2;
const SAFE = 4;

export function controlHeader(direction: Direction, sequence: number): Buffer {
  return Buffer.concat([u32(senderFlag(direction)), u32(sequence)]);
}

export function dataHeader(
  direction: Direction,
  level: DataLevel,
  fileSequence: number,
  blockSequence: number,
): Buffer {
  const flags = senderFlag(direction) | DATA | (level === 'S' ? SAFE : 0);
  return Buffer.concat([u32(flags), u32(fileSequence), u32(blockSequence)]);
}

function senderFlag(direction: Direction): number {
  return direction === 's2c' ? FROM_SERVER : 0;
}
