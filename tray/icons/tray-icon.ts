// The tray's icon in each state. Shape and colour both tell the state: not everybody sees red and green apart, and panels are
// light or dark, so every icon has a dark edge and a light halo.
import type { IconState } from '../model/tray-view.js';
import { digits, dotsHigh, dotsWide } from './digits.js';
import { paint, type Colour, type Layer, type Picture, type Shape } from './raster.js';
import { arc, box, circle, seal, stroke, triangle, union, without } from './shapes.js';

/** The sizes that panels ask for. */
export const iconSizes = [16, 22, 24, 32, 48] as const;

const colours = {
  idle: [112, 122, 134, 1],
  securing: [24, 138, 72, 1],
  question: [232, 150, 0, 1],
  cleartext: [222, 92, 8, 1],
  trouble: [205, 32, 44, 1],
} as const satisfies Record<IconState['kind'], Colour>;
const white: Colour = [255, 255, 255, 1];
const halo: Colour = [255, 255, 255, 0.55];
const badgeColour: Colour = [150, 18, 30, 1];

/** The icon at `size` pixels a side. */
export function trayIcon(state: IconState, size: number): Picture {
  const small = size < 22;
  const outline = bodyOf(state.kind, 1);
  const layers: Layer[] = [
    { shape: outline, colour: halo },
    { shape: bodyOf(state.kind, small ? 0.92 : 0.94), colour: darker(colours[state.kind]) },
    { shape: bodyOf(state.kind, small ? 0.84 : 0.86), colour: colours[state.kind] },
    { shape: signOf(state.kind), colour: white },
  ];
  if (state.kind === 'question') layers.push(...badge(state.count, size));
  return paint(size, layers);
}

function darker([red, green, blue, alpha]: Colour): Colour {
  return [Math.round(red * 0.55), Math.round(green * 0.55), Math.round(blue * 0.55), alpha];
}

/** The outline: a seal, a broken-open ring of it, or a warning triangle. */
function bodyOf(kind: IconState['kind'], scale: number): Shape {
  switch (kind) {
    case 'idle':
    case 'securing':
      return seal(scale, 12, 0.07);
    case 'question':
      return circle(0, 0, scale);
    case 'cleartext':
      return box(0, 0, scale * 0.94, scale * 0.94, 0.3 * scale);
    case 'trouble':
      return triangle(-0.98 * scale - (1 - scale) * 0.35, 0.92 * scale, scale, 0.16);
  }
}

function signOf(kind: IconState['kind']): Shape {
  switch (kind) {
    case 'idle':
      return union(circle(0, -0.16, 0.26), box(0, 0.24, 0.12, 0.3, 0.06));
    case 'securing':
      return closedLock(1, 0);
    case 'question':
      return questionMark();
    case 'cleartext':
      return openLock(1.05, 0.02);
    case 'trouble':
      return union(box(0, 0.08, 0.13, 0.34, 0.1), circle(0, 0.64, 0.14));
  }
}

function closedLock(scale: number, dy: number): Shape {
  const shackle = arc([0, dy - 0.12 * scale], 0.27 * scale, 0.1 * scale, [0.5, 1]);
  const legs = union(
    box(-0.27 * scale, dy, 0.1 * scale, 0.14 * scale, 0),
    box(0.27 * scale, dy, 0.1 * scale, 0.14 * scale, 0),
  );
  return union(shackle, legs, lockBody(scale, dy));
}

/** The shackle is swung away to the side: told from the closed one by its outline alone. */
function openLock(scale: number, dy: number): Shape {
  const shackle = arc([0.27 * scale, dy - 0.2 * scale], 0.27 * scale, 0.1 * scale, [0.5, 1.06]);
  const leg = box(0, dy - 0.06 * scale, 0.1 * scale, 0.16 * scale, 0);
  const moved = lockBody(scale, dy);
  return union(shackle, leg, (x, y) => moved(x + 0.2 * scale, y));
}

function lockBody(scale: number, dy: number): Shape {
  return box(0, dy + 0.28 * scale, 0.44 * scale, 0.3 * scale, 0.08 * scale);
}

/** Leaves the lower right corner to the badge. */
function questionMark(): Shape {
  const bow = arc([-0.12, -0.28], 0.3, 0.12, [0.5, 1.22]);
  return union(
    bow,
    stroke(
      [
        [0.0, 0.0],
        [-0.12, 0.14],
        [-0.12, 0.22],
      ],
      0.12,
    ),
    circle(-0.12, 0.56, 0.15),
  );
}

/** The number of open questions in the lower right corner, aligned to whole pixels. */
function badge(count: number, size: number): readonly Layer[] {
  const text = count > 9 ? '9+' : String(count);
  const dot = Math.max(1, Math.round((size * 0.6) / 6.6) - (text.length > 1 && size >= 22 ? 1 : 0));
  const [width, height] = [dotsWide(text) * dot, dotsHigh * dot];
  const margin = Math.max(2, dot);
  const [right, bottom] = [size, size];
  const [left, top] = [right - width - 2 * margin, bottom - height - 2 * margin];
  const toUnit = (pixels: number): number => (pixels / size) * 2;
  const centre = [toUnit((left + right) / 2) - 1, toUnit((top + bottom) / 2) - 1] as const;
  const plate = (grow: number): Shape =>
    box(
      ...centre,
      toUnit((right - left) / 2 + grow),
      toUnit((bottom - top) / 2 + grow),
      toUnit(margin * 1.6 + grow),
    );
  return [
    { shape: plate(1), colour: white },
    { shape: plate(0), colour: badgeColour },
    { shape: digits(text, size, dot, [left + margin, top + margin]), colour: white },
  ];
}

/** A small lock for a line of the menu, in a colour that shows on light and dark menus. */
export function lockMark(kind: 'locked' | 'open', size: number): Picture {
  const shape = kind === 'locked' ? closedLock(1.5, 0.02) : openLock(1.4, 0.02);
  const keyhole = without(shape, circle(kind === 'locked' ? 0 : -0.28, 0.42, 0.13));
  return paint(size, [{ shape: keyhole, colour: kind === 'locked' ? colours.securing : colours.cleartext }]);
}
