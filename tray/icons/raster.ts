// Draws filled shapes into RGBA pixels, with smooth edges. Coordinates go from -1 to 1, y downwards, whatever the size.

/** Red, green, blue and alpha, 0 to 255, row by row; alpha is not multiplied in. */
export interface Picture {
  readonly size: number;
  readonly rgba: Uint8Array;
}

/** Whether a point belongs to the shape. */
export type Shape = (x: number, y: number) => boolean;

export interface Layer {
  readonly shape: Shape;
  readonly colour: Colour;
}

/** Red, green, blue (0 to 255) and opacity (0 to 1). */
export type Colour = readonly [number, number, number, number];

/** Samples along each side of a pixel. */
const grid = 5;

/** Paints the layers over each other, the first at the bottom. */
export function paint(size: number, layers: readonly Layer[]): Picture {
  const rgba = new Uint8Array(size * size * 4);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      rgba.set(pixel(size, row, column, layers), (row * size + column) * 4);
    }
  }
  return { size, rgba };
}

function pixel(size: number, row: number, column: number, layers: readonly Layer[]): readonly number[] {
  let red = 0;
  let green = 0;
  let blue = 0;
  let alpha = 0;
  for (const { shape, colour } of layers) {
    const cover = coverage(size, row, column, shape) * colour[3];
    if (cover === 0) continue;
    red = colour[0] * cover + red * (1 - cover);
    green = colour[1] * cover + green * (1 - cover);
    blue = colour[2] * cover + blue * (1 - cover);
    alpha = cover + alpha * (1 - cover);
  }
  if (alpha === 0) return [0, 0, 0, 0];
  return [red / alpha, green / alpha, blue / alpha, alpha * 255].map(Math.round);
}

function coverage(size: number, row: number, column: number, shape: Shape): number {
  let hits = 0;
  for (let i = 0; i < grid; i++) {
    for (let j = 0; j < grid; j++) {
      const x = ((column + (j + 0.5) / grid) / size) * 2 - 1;
      const y = ((row + (i + 0.5) / grid) / size) * 2 - 1;
      if (shape(x, y)) hits++;
    }
  }
  return hits / (grid * grid);
}
