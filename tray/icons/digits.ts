// Digits of three by five dots: the only form that can be read at the size of a badge.
import type { Shape } from './raster.js';

const rows: Readonly<Record<string, readonly string[]>> = {
  '0': ['###', '#.#', '#.#', '#.#', '###'],
  '1': ['.#.', '##.', '.#.', '.#.', '###'],
  '2': ['###', '..#', '###', '#..', '###'],
  '3': ['###', '..#', '.##', '..#', '###'],
  '4': ['#.#', '#.#', '###', '..#', '..#'],
  '5': ['###', '#..', '###', '..#', '###'],
  '6': ['###', '#..', '###', '#.#', '###'],
  '7': ['###', '..#', '.#.', '.#.', '.#.'],
  '8': ['###', '#.#', '###', '#.#', '###'],
  '9': ['###', '#.#', '###', '..#', '###'],
  '+': ['...', '.#.', '###', '.#.', '...'],
};
const digitWidth = 3;
const digitHeight = 5;

/** Width of the text in dots. */
export function dotsWide(text: string): number {
  return text.length * (digitWidth + 1) - 1;
}

/** The text with its upper left corner at a pixel; each dot is `dot` pixels wide, so edges stay sharp. */
export function digits(
  text: string,
  size: number,
  dot: number,
  [left, top]: readonly [number, number],
): Shape {
  return (x, y) => {
    const column = Math.floor((((x + 1) / 2) * size - left) / dot);
    const row = Math.floor((((y + 1) / 2) * size - top) / dot);
    if (row < 0 || row >= digitHeight || column < 0) return false;
    const letter = text[Math.floor(column / (digitWidth + 1))] ?? '';
    return rows[letter]?.[row]?.[column % (digitWidth + 1)] === '#';
  };
}

export const dotsHigh = digitHeight;
