// "Now": what is going on, second by second. Rows stay the same elements while they change, so that the keyboard's place stays.
import type { LiveView, QuestionRow, SessionRow } from '../wire.js';
import { change, sentenceOf } from './api.js';
import { showDialog } from './dialog.js';
import { button, el, fill } from './dom.js';
import { icon } from './icons.js';
import { announce, notice, toneIcon } from './parts.js';
import { RatePlot } from './rate-plot.js';
import { bytes, plural, since } from './words.js';

export class NowPage {
  readonly #plot = new RatePlot();
  readonly #headline = el('section', { class: 'card headline' });
  readonly #questions = el('div', { class: 'asked' });
  readonly #rows = new Map<string, SessionEntry>();
  readonly #body = el('tbody');
  readonly #table: HTMLElement;
  readonly #empty = notice(
    'now',
    'No sessions',
    'When a program uses FTP, it is shown here with its server and how it is protected.',
  );
  readonly #more = el('p', { class: 'hint' });

  constructor(content: HTMLElement) {
    const heads = ['Program', 'Server', 'Protection', 'Traffic', 'For', ''];
    const head = el(
      'tr',
      {},
      ...heads.map((text) => el(text === '' ? 'td' : 'th', text === '' ? {} : { scope: 'col' }, text)),
    );
    const table = el(
      'table',
      {},
      el('caption', { class: 'unseen' }, 'Sessions'),
      el('thead', {}, head),
      this.#body,
    );
    this.#table = el('section', { class: 'card table' }, table, this.#more);
    fill(
      content,
      this.#questions,
      el('div', { class: 'top' }, this.#headline, this.#plot.element),
      el('h2', {}, 'Sessions'),
      this.#table,
      this.#empty,
    );
  }

  update(view: LiveView): void {
    const { tone, title, text } = view.headline;
    this.#headline.className = `card headline ${tone}`;
    fill(
      this.#headline,
      icon(tone === 'good' ? 'locked' : tone === 'calm' ? 'policy' : 'alert'),
      el('div', {}, el('p', { class: 'big' }, title), el('p', {}, text)),
    );
    fill(this.#questions, ...view.questions.map(questionCard));
    this.#plot.update(view.rates, view.now);
    this.#updateRows(view);
    this.#table.hidden = view.sessions.length === 0;
    this.#empty.hidden = view.sessions.length > 0;
    this.#more.textContent = view.hidden > 0 ? `and ${plural(view.hidden, 'more session')}` : '';
  }

  #updateRows({ sessions, now }: LiveView): void {
    const present = new Set(sessions.map(({ id }) => id));
    for (const [id, entry] of this.#rows) {
      if (present.has(id)) continue;
      entry.element.remove();
      this.#rows.delete(id);
    }
    sessions.forEach((session, index) => {
      const entry = this.#rows.get(session.id) ?? new SessionEntry(session);
      this.#rows.set(session.id, entry);
      entry.update(session, now);
      const there = this.#body.children[index];
      if (there !== entry.element) this.#body.insertBefore(entry.element, there ?? null);
    });
  }
}

function questionCard({ id, tone, title, server, waiting }: QuestionRow): HTMLElement {
  const text =
    waiting > 0
      ? `${plural(waiting, 'connection')} ${waiting === 1 ? 'waits' : 'wait'} for your answer`
      : 'Stopped; your answer counts for the next connection';
  return el(
    'a',
    { class: `card question-link ${tone}`, href: `/question/${id}` },
    toneIcon(tone === 'calm' ? 'calm' : tone),
    el('span', {}, el('strong', {}, `${title}: ${server}`), el('span', { class: 'sub' }, text)),
    el('span', { class: 'answer' }, 'Answer'),
  );
}

class SessionEntry {
  readonly element = el('tr');
  readonly #cells = {
    program: cell('Program'),
    server: cell('Server'),
    lock: cell('Protection'),
    traffic: cell('Traffic', 'number'),
    since: cell('For', 'number'),
  };

  readonly #close = button(
    { class: 'quiet' },
    () => {
      askToClose(this.#session);
    },
    'Close',
  );
  /** The newest: the program's name comes a moment after the session. */
  #session: SessionRow;

  constructor(session: SessionRow) {
    const { program, server, lock, traffic, since: age } = this.#cells;
    this.#session = session;
    this.element.append(program, server, lock, traffic, age, el('td', { class: 'act' }, this.#close));
  }

  update(session: SessionRow, now: number): void {
    const { program, server, lock, traffic, since: age } = this.#cells;
    this.#session = session;
    const label = `Close the session of ${session.program} to ${session.server}`;
    if (this.#close.getAttribute('aria-label') !== label) this.#close.setAttribute('aria-label', label);
    two(program, session.program, session.user);
    two(server, session.server, session.address);
    const way = [session.mechanism, session.data].filter((part) => part !== '').join(', ');
    const key = `${session.lock} ${session.protection} ${way} ${session.warning}`;
    if (lock.dataset['shown'] !== key) {
      lock.dataset['shown'] = key;
      fill(
        lock,
        el('span', { class: `chip ${session.lock}` }, icon(session.lock), session.protection),
        way !== '' && el('span', { class: 'sub' }, way),
        session.warning !== '' && el('span', { class: 'sub warning' }, session.warning),
      );
    }
    two(traffic, `${bytes(session.down)} received`, `${bytes(session.up)} sent`);
    setText(age, since(session.startedAt, now));
  }
}

function cell(label: string, kind = ''): HTMLTableCellElement {
  return el('td', { 'data-label': label, class: kind === '' ? undefined : kind });
}

function two(parent: HTMLElement, first: string, second: string): void {
  if (parent.dataset['shown'] === `${first}\n${second}`) return;
  parent.dataset['shown'] = `${first}\n${second}`;
  fill(
    parent,
    el('span', { class: 'main' }, first),
    second !== '' && second !== first && el('span', { class: 'sub' }, second),
  );
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function askToClose({ id, program, server }: SessionRow): void {
  showDialog({
    title: 'Close this session?',
    content: [
      el(
        'p',
        {},
        `${program} loses its connection to ${server}. A file that is on its way is not complete then.`,
      ),
    ],
    confirm: 'Close the session',
    danger: true,
    run: async () => {
      try {
        announce((await change('/api/sessions/close', { id }, 'done')).text);
      } catch (error) {
        announce(sentenceOf(error));
        throw error;
      }
    },
  });
}
