// A picture of a page, and the one text element that all of them draw with.

export interface Picture {
  /** The file's name without its ending. */
  readonly name: string;
  /** What it shows, for those who don't see it. */
  readonly alt: string;
  readonly svg: string;
}

/** One text, escaped. */
export function drawText(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped}</text>`;
}

/** A stand-alone SVG on a white ground. */
export function drawFrame(
  title: string,
  size: { readonly width: number; readonly height: number },
  content: readonly string[],
): string {
  const { width, height } = size;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" fill="#222" role="img">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...content,
    '</svg>',
    '',
  ].join('\n');
}

/** The subject's colour first, then those of the others; all of them dark enough for a label on white. */
export const colours = ['#0b6e99', '#b36b12', '#7a5ea8', '#667080', '#b8478f', '#3f7f3d'] as const;

export function colourOf(index: number): string {
  return colours[index % colours.length] ?? '#222';
}
