// The shapes that the icons are made of.
import type { Shape } from './raster.js';

export function circle(cx: number, cy: number, radius: number): Shape {
  return (x, y) => (x - cx) ** 2 + (y - cy) ** 2 <= radius ** 2;
}

/** A wax seal: a disc with `lobes` round bumps. */
export function seal(radius: number, lobes: number, depth: number): Shape {
  return (x, y) => {
    const bump = Math.cos(Math.atan2(y, x) * lobes) * depth;
    return Math.hypot(x, y) <= radius - depth + bump;
  };
}

/** A rectangle around its centre, with round corners. */
export function box(cx: number, cy: number, halfWidth: number, halfHeight: number, corner: number): Shape {
  return (x, y) => {
    const dx = Math.abs(x - cx) - halfWidth + corner;
    const dy = Math.abs(y - cy) - halfHeight + corner;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) <= corner;
  };
}

/** Two straight strokes with round ends through three points: a check mark. */
export function stroke(points: readonly (readonly [number, number])[], halfWidth: number): Shape {
  const near = (x: number, y: number, index: number): boolean => {
    const [ax, ay] = points[index] ?? [0, 0];
    const [bx, by] = points[index + 1] ?? [0, 0];
    const [dx, dy] = [bx - ax, by - ay];
    const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    return Math.hypot(x - ax - along * dx, y - ay - along * dy) <= halfWidth;
  };
  return (x, y) => points.some((_, index) => index < points.length - 1 && near(x, y, index));
}

/** An arc around a centre, clockwise from one angle to another in turns (0 is to the right). */
export function arc(
  [cx, cy]: readonly [number, number],
  radius: number,
  halfWidth: number,
  [from, to]: readonly [number, number],
): Shape {
  return (x, y) => {
    const turn = (Math.atan2(y - cy, x - cx) / (2 * Math.PI) + 2 - from) % 1;
    return Math.abs(Math.hypot(x - cx, y - cy) - radius) <= halfWidth && turn <= to - from;
  };
}

/** A triangle that points upwards, with round corners. */
export function triangle(top: number, bottom: number, halfBase: number, corner: number): Shape {
  const height = bottom - top;
  const slope = Math.hypot(halfBase, height);
  return (x, y) => {
    // Distances to the three sides, inwards; the corners are rounded by shrinking and growing again.
    const left = ((y - top) * halfBase + (x - 0) * height) / slope;
    const right = ((y - top) * halfBase - (x - 0) * height) / slope;
    const inside = Math.min(left, right, bottom - y);
    if (inside >= corner) return true;
    if (inside < 0) return false;
    return cornersOf(top, bottom, halfBase, corner).every(
      ([cx, cy, nx, ny]) => (x - cx) * nx + (y - cy) * ny <= 0 || Math.hypot(x - cx, y - cy) <= corner,
    );
  };
}

/** The centre of each corner's circle, and the direction in which the corner lies. */
function cornersOf(
  top: number,
  bottom: number,
  halfBase: number,
  corner: number,
): readonly (readonly [number, number, number, number])[] {
  const height = bottom - top;
  const slope = Math.hypot(halfBase, height);
  const apex = top + (corner * slope) / halfBase;
  const side = halfBase - (corner * (slope + halfBase)) / height;
  return [
    [0, apex, 0, -1],
    [-side, bottom - corner, -0.85, 0.53],
    [side, bottom - corner, 0.85, 0.53],
  ];
}

export function union(...shapes: readonly Shape[]): Shape {
  return (x, y) => shapes.some((shape) => shape(x, y));
}

export function without(shape: Shape, hole: Shape): Shape {
  return (x, y) => shape(x, y) && !hole(x, y);
}
