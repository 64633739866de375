// The rate of the last two minutes as a small picture: received above, sent below, on one scale.
import type { RateSample } from '../wire.js';
import { el, svg } from './dom.js';
import { rate } from './words.js';

const width = 240;
const height = 64;
const spanMs = 120_000;

export class RatePlot {
  readonly element: HTMLElement;
  readonly #down = svg('path', { class: 'down' });
  readonly #up = svg('path', { class: 'up' });
  readonly #picture: SVGSVGElement;
  readonly #numbers = { down: el('strong'), up: el('strong'), peak: el('span', { class: 'peak' }) };

  constructor() {
    const line = svg('path', { class: 'middle', d: `M0 ${height}H${width}` });
    const box = `0 0 ${width} ${height * 2}`;
    this.#picture = svg(
      'svg',
      { viewBox: box, preserveAspectRatio: 'none', role: 'img' },
      this.#down,
      this.#up,
      line,
    );
    this.element = el(
      'section',
      { class: 'card rate', 'aria-label': 'Transfer rate' },
      el(
        'div',
        { class: 'numbers' },
        el('span', {}, 'Received ', this.#numbers.down),
        el('span', {}, 'Sent ', this.#numbers.up),
      ),
      this.#picture,
      el('p', { class: 'scale' }, el('span', {}, '2 min ago'), this.#numbers.peak, el('span', {}, 'now')),
    );
  }

  update(samples: readonly RateSample[], now: number): void {
    const last = samples.at(-1);
    const peak = Math.max(1, ...samples.flatMap(({ up, down }) => [up, down]));
    this.#down.setAttribute(
      'd',
      area(samples, now, ({ down }) => height - (down / peak) * (height - 4)),
    );
    this.#up.setAttribute(
      'd',
      area(samples, now, ({ up }) => height + (up / peak) * (height - 4)),
    );
    this.#numbers.down.textContent = rate(last?.down ?? 0);
    this.#numbers.up.textContent = rate(last?.up ?? 0);
    this.#numbers.peak.textContent = peak > 1 ? `highest ${rate(peak)}` : '';
    const label = `Received ${rate(last?.down ?? 0)}, sent ${rate(last?.up ?? 0)} now; highest ${rate(peak)} in two minutes`;
    this.#picture.setAttribute('aria-label', label);
  }
}

function area(samples: readonly RateSample[], now: number, y: (sample: RateSample) => number): string {
  const x = ({ at }: RateSample) => Math.max(0, width - ((now - at) / spanMs) * width);
  const points = samples.map((sample) => `L${x(sample).toFixed(1)} ${y(sample).toFixed(1)}`);
  const [first] = samples;
  if (first === undefined) return '';
  return `M${x(first).toFixed(1)} ${height}${points.join('')}L${width} ${height}Z`;
}
