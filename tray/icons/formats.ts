// Pictures in the forms that desktops take.
import { toPng } from './png.js';
import type { Picture } from './raster.js';

/** A StatusNotifierItem pixmap: width, height, and alpha, red, green, blue of each pixel. */
export type Pixmap = readonly [number, number, Buffer];

export function toPixmap({ size, rgba }: Picture): Pixmap {
  const argb = Buffer.alloc(rgba.length);
  for (let at = 0; at < rgba.length; at += 4) {
    argb.set([rgba[at + 3] ?? 0, rgba[at] ?? 0, rgba[at + 1] ?? 0, rgba[at + 2] ?? 0], at);
  }
  return [size, size, argb];
}

/** A Windows icon file that holds one PNG, as Windows Vista and later read it. */
export function toIco(picture: Picture): Buffer {
  const png = toPng(picture);
  const header = Buffer.alloc(22);
  header.writeUInt16LE(1, 2); // an icon
  header.writeUInt16LE(1, 4); // one picture
  header.writeUInt8(picture.size & 0xff, 6);
  header.writeUInt8(picture.size & 0xff, 7);
  header.writeUInt16LE(1, 10); // planes
  header.writeUInt16LE(32, 12); // bits a pixel
  header.writeUInt32LE(png.length, 14);
  header.writeUInt32LE(header.length, 18);
  return Buffer.concat([header, png]);
}
