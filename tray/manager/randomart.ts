// The picture of a fingerprint that OpenSSH draws: a bishop walks over a board, two bits of the digest a step.
// The method is described in "The drunken bishop: An analysis of the OpenSSH fingerprint visualization algorithm" (2009).
import type { KeyFingerprint } from '../../shared/fingerprint.js';

const width = 17;
const height = 9;
/** The more often a field was visited, the denser its character; start and end have their own. */
const marks = ' .o+=*BOX@%&#/^';

/** Eleven lines of nineteen characters, frame included; `title` and `foot` stand in the frame. */
export function randomart(fingerprint: KeyFingerprint, title: string, foot = 'SHA256'): readonly string[] {
  const { visits, end } = walk(Buffer.from(fingerprint.slice('SHA256:'.length), 'base64'));
  const rows = Array.from({ length: height }, (_, y) => {
    const cells = Array.from({ length: width }, (_, x) => markAt(visits, y * width + x, end));
    return `|${cells.join('')}|`;
  });
  return [frame(title), ...rows, frame(foot)];
}

const start = Math.floor(height / 2) * width + Math.floor(width / 2);

function walk(digest: Uint8Array): { readonly visits: readonly number[]; readonly end: number } {
  const visits = Array<number>(width * height).fill(0);
  let x = start % width;
  let y = Math.floor(start / width);
  for (const byte of digest) {
    for (let shift = 0; shift < 8; shift += 2) {
      const step = byte >> shift;
      x = clamp(x + ((step & 1) === 1 ? 1 : -1), width);
      y = clamp(y + ((step & 2) === 2 ? 1 : -1), height);
      const field = y * width + x;
      visits[field] = (visits[field] ?? 0) + 1;
    }
  }
  return { visits, end: y * width + x };
}

function clamp(position: number, size: number): number {
  return Math.min(Math.max(position, 0), size - 1);
}

function markAt(visits: readonly number[], field: number, end: number): string {
  if (field === end) return 'E';
  if (field === start) return 'S';
  return marks[Math.min(visits[field] ?? 0, marks.length - 1)] ?? ' ';
}

/** `[title]` in the middle of a line of dashes; a title too long for the frame is cut. */
function frame(title: string): string {
  const text = `[${title}]`.length > width ? `[${title.slice(0, width - 2)}]` : `[${title}]`;
  const left = Math.floor((width - text.length) / 2);
  return `+${'-'.repeat(left)}${text}${'-'.repeat(width - text.length - left)}+`;
}
