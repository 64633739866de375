// "History": what happened, newest first; filtered here, exported whole.
import type { HistoryRow } from '../wire.js';
import { read, sentenceOf } from './api.js';
import { el, fill } from './dom.js';
import { icon, type IconName } from './icons.js';
import { failure, notice } from './parts.js';
import { dateTime, plural } from './words.js';

const choices: readonly (readonly [string, string])[] = [
  ['', 'Everything'],
  ['asked answered', 'Questions and answers'],
  ['refused', 'Refused'],
  ['cleartext', 'Not encrypted'],
  ['cut', 'Cut off'],
  ['secured', 'Encrypted'],
  ['keys', 'Changes of keys'],
];
/** More than that at once makes the page slow; the search finds the rest. */
const maxShown = 300;

export class HistoryPage {
  readonly #list = el('ol', { class: 'events' });
  readonly #kind = el(
    'select',
    { id: 'kind' },
    ...choices.map(([value, text]) => el('option', { value }, text)),
  );
  readonly #search = el('input', {
    type: 'search',
    id: 'search',
    placeholder: 'Server, program, text',
    autocomplete: 'off',
  });
  readonly #count = el('p', { class: 'hint', role: 'status' });
  readonly #place = el('div');
  #rows: readonly HistoryRow[] = [];

  constructor(content: HTMLElement) {
    const show = () => {
      this.#show();
    };
    this.#kind.addEventListener('change', show);
    this.#search.addEventListener('input', show);
    const tools = el(
      'div',
      { class: 'tools' },
      el(
        'div',
        { class: 'search' },
        el('label', { for: 'search', class: 'unseen' }, 'Search'),
        icon('search'),
        this.#search,
      ),
      el('div', { class: 'choice' }, el('label', { for: 'kind' }, 'Show'), this.#kind),
      el(
        'a',
        { class: 'button', href: '/api/history/export', download: 'ftpseal-history.csv' },
        icon('down'),
        'Export',
      ),
    );
    fill(content, tools, this.#count, this.#place);
    void this.load();
  }

  async load(): Promise<void> {
    try {
      this.#rows = (await read('/api/history', 'history')).rows;
      this.#show();
    } catch (error) {
      fill(
        this.#place,
        failure(sentenceOf(error), () => void this.load()),
      );
    }
  }

  #show(): void {
    const kinds = this.#kind.value.split(' ').filter((kind) => kind !== '');
    const words = this.#search.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    const found = this.#rows.filter(
      (row) =>
        (kinds.length === 0 || kinds.includes(row.kind)) &&
        words.every((word) => haystack(row).includes(word)),
    );
    this.#count.textContent = `${plural(found.length, 'event')}${found.length > maxShown ? `, the newest ${maxShown} are shown` : ''}`;
    this.#count.hidden = found.length === 0;
    if (this.#rows.length === 0)
      fill(
        this.#place,
        notice(
          'history',
          'Nothing happened yet',
          'Questions, answers, refusals and connections without encryption are kept here.',
        ),
      );
    else if (found.length === 0)
      fill(
        this.#place,
        notice('search', 'Nothing found', 'No event is of this kind with these words in it.'),
      );
    else {
      fill(this.#list, ...found.slice(0, maxShown).map(line));
      fill(this.#place, this.#list);
    }
  }
}

function haystack({ server, program, text, title, fingerprint }: HistoryRow): string {
  return [server, program, text, title, fingerprint].join(' ').toLowerCase();
}

const icons: Readonly<Record<HistoryRow['kind'], IconName>> = {
  asked: 'question',
  answered: 'good',
  refused: 'bad',
  cleartext: 'open',
  cut: 'alert',
  secured: 'locked',
  keys: 'keys',
};

function line({ at, kind, tone, title, server, program, text, fingerprint }: HistoryRow): HTMLElement {
  const who = [server, program].filter((part) => part !== '').join(' · ');
  return el(
    'li',
    { class: tone },
    icon(icons[kind]),
    el(
      'div',
      {},
      el('p', { class: 'what' }, el('strong', {}, title), who !== '' && el('span', {}, who)),
      el('p', { class: 'sub' }, text),
      fingerprint !== '' && el('code', { class: 'sub print' }, fingerprint),
    ),
    el('time', { datetime: new Date(at).toISOString() }, dateTime(at)),
  );
}
