// "Check-up": is everything as it should be, and what to do where it is not.
import type { CheckRow, CheckupView } from '../wire.js';
import { read, sentenceOf } from './api.js';
import { button, el, fill } from './dom.js';
import { announce, failure, toneIcon } from './parts.js';
import { clock, plural } from './words.js';

export function startCheckup(content: HTMLElement): void {
  fill(content, el('p', { class: 'loading' }, 'Looking…'));
  read('/api/checkup', 'checkup').then(
    (view) => {
      show(content, view);
    },
    (error: unknown) => {
      fill(
        content,
        failure(sentenceOf(error), () => {
          startCheckup(content);
        }),
      );
    },
  );
}

function show(content: HTMLElement, { rows, ranAt }: CheckupView): void {
  const bad = rows.filter(({ tone }) => tone === 'bad').length;
  const warn = rows.filter(({ tone }) => tone === 'warn').length;
  const tone = bad > 0 ? 'bad' : warn > 0 ? 'warn' : 'good';
  const title =
    bad > 0
      ? `${plural(bad, 'problem')} found`
      : warn > 0
        ? `${plural(warn, 'thing')} to know`
        : 'Everything is as it should be';
  announce(title);
  const again = button(
    {},
    () => {
      startCheckup(content);
    },
    'Check again',
  );
  fill(
    content,
    el(
      'section',
      { class: `card headline ${tone}` },
      toneIcon(tone),
      el('div', {}, el('p', { class: 'big' }, title), el('p', {}, `Looked at ${clock(ranAt)}`)),
      again,
    ),
    el('ul', { class: 'checks card' }, ...rows.map(row)),
  );
}

function row({ check, tone, text, todo }: CheckRow): HTMLElement {
  const state = tone === 'good' ? 'In order' : tone === 'warn' ? 'To know' : 'Problem';
  return el(
    'li',
    { class: tone },
    toneIcon(tone),
    el(
      'div',
      {},
      el('p', {}, el('strong', {}, check), el('span', { class: 'unseen' }, ` (${state}) `)),
      el('p', { class: 'text' }, text),
      todo !== '' && el('p', { class: 'todo' }, todo),
    ),
  );
}
