// Pieces that several pages share.
import type { Banner, Fact, KeyPicture, Tone } from '../wire.js';
import { el, type Child } from './dom.js';
import { icon, type IconName } from './icons.js';

const toneIcons: Readonly<Record<Tone, IconName>> = {
  calm: 'question',
  good: 'good',
  warn: 'alert',
  bad: 'bad',
};

export function toneIcon(tone: Tone): SVGSVGElement {
  return icon(toneIcons[tone]);
}

export function bannerList(banners: readonly Banner[]): readonly HTMLElement[] {
  return banners.map(({ tone, text }) =>
    el('p', { class: `banner ${tone}` }, toneIcon(tone), el('span', {}, text)),
  );
}

/** What stands in a list that is empty, or could not be read. */
export function notice(name: IconName, title: string, text: string, ...more: readonly Child[]): HTMLElement {
  return el('div', { class: 'notice' }, icon(name), el('h2', {}, title), el('p', {}, text), ...more);
}

export function failure(text: string, retry: () => void): HTMLElement {
  const again = el('button', { type: 'button' }, 'Try again');
  again.addEventListener('click', retry);
  return el(
    'div',
    { class: 'notice bad', role: 'alert' },
    icon('alert'),
    el('h2', {}, 'This could not be shown'),
    el('p', {}, text),
    again,
  );
}

export function factList(facts: readonly Fact[]): HTMLElement {
  return el(
    'dl',
    { class: 'facts' },
    ...facts.map(({ label, value, flaw }) =>
      el(
        'div',
        { class: flaw === undefined ? '' : 'flawed' },
        el('dt', {}, label),
        el('dd', {}, value, flaw !== undefined && el('strong', { class: 'flaw' }, icon('alert'), flaw)),
      ),
    ),
  );
}

/** The fingerprint in groups, and its picture. Selecting the groups copies the fingerprint without blanks. */
export function keyFigure(key: KeyPicture, caption: string): HTMLElement {
  const groups = key.groups.map((group) => el('span', {}, group));
  return el(
    'figure',
    { class: 'key' },
    el('figcaption', {}, caption),
    el(
      'div',
      { class: 'print' },
      el('span', { class: 'algorithm' }, 'SHA256:'),
      el('code', { class: 'groups' }, ...groups),
    ),
    key.art.length > 0 &&
      el(
        'pre',
        { class: 'art', role: 'img', 'aria-label': 'Picture of the fingerprint' },
        key.art.join('\n'),
      ),
  );
}

/** Says something in a place that screen readers read out. */
export function announce(text: string): void {
  const place =
    document.getElementById('announcer') ??
    document.body.appendChild(el('p', { id: 'announcer', role: 'status' }));
  place.textContent = text;
}

/** What the administrator has decided. */
export function lock(): HTMLElement {
  return el('span', { class: 'origin fixed' }, icon('locked'), 'set by the administrator');
}
