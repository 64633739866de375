import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { toIco, toPixmap } from '../../../tray/icons/formats.js';
import { toPng } from '../../../tray/icons/png.js';
import { iconSizes, lockMark, trayIcon } from '../../../tray/icons/tray-icon.js';
import type { IconState } from '../../../tray/model/tray-view.js';

const states: readonly IconState[] = [
  { kind: 'idle' },
  { kind: 'securing' },
  { kind: 'cleartext' },
  { kind: 'trouble' },
  { kind: 'question', count: 1 },
  { kind: 'question', count: 2 },
  { kind: 'question', count: 40 },
];

/** Which pixels are opaque: what somebody who sees no colours sees of the outline. */
function outline(state: IconState, size: number): string {
  const { rgba } = trayIcon(state, size);
  return Array.from({ length: size * size }, (_, at) => ((rgba[at * 4 + 3] ?? 0) > 200 ? '#' : '.')).join('');
}

describe('the tray icon', () => {
  for (const size of iconSizes) {
    it(`differs in every state at ${size} pixels, also without colours`, () => {
      const pictures = states.map((state) => Buffer.from(trayIcon(state, size).rgba).toString('base64'));
      assert.equal(new Set(pictures).size, states.length);
      const shapes = (['securing', 'cleartext', 'trouble'] as const).map((kind) => outline({ kind }, size));
      assert.equal(new Set(shapes).size, 3);
      for (const state of states) {
        const cover = outline(state, size).replaceAll('.', '').length / (size * size);
        assert.ok(cover > 0.3, `${state.kind} covers ${cover}`);
      }
    });
  }

  it('counts to nine', () => {
    const picture = (count: number): string =>
      Buffer.from(trayIcon({ kind: 'question', count }, 22).rgba).toString('hex');
    assert.equal(picture(10), picture(99));
    assert.notEqual(picture(9), picture(10));
  });

  it('is a PNG that holds the pixels', () => {
    const picture = trayIcon({ kind: 'securing' }, 16);
    const png = toPng(picture);
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    const length = png.readUInt32BE(33);
    const lines = inflateSync(png.subarray(41, 41 + length));
    assert.equal(lines.length, 16 * 65);
    assert.deepEqual([...lines.subarray(8 * 65 + 1, 9 * 65)], [...picture.rgba.subarray(8 * 64, 9 * 64)]);
    assert.equal(png.subarray(-8, -4).toString(), 'IEND');
  });

  it('as a pixmap has alpha first; as an ICO holds the PNG', () => {
    const picture = trayIcon({ kind: 'trouble' }, 16);
    const [width, height, argb] = toPixmap(picture);
    assert.deepEqual([width, height, argb.length], [16, 16, 1024]);
    const at = (8 * 16 + 8) * 4;
    assert.deepEqual(
      [...argb.subarray(at, at + 4)],
      [picture.rgba[at + 3], picture.rgba[at], picture.rgba[at + 1], picture.rgba[at + 2]],
    );
    assert.deepEqual(toIco(picture).subarray(22), toPng(picture));
  });

  it('has marks for the menu that differ', () => {
    assert.notDeepEqual(lockMark('locked', 16).rgba, lockMark('open', 16).rgba);
  });
});
