// "Policy": what is in force, in words. It is the machine's: nothing here can be changed from a window.
import type { PolicyView, SettingRow } from '../wire.js';
import { read, sentenceOf } from './api.js';
import { el, fill } from './dom.js';
import { failure, lock } from './parts.js';

export function startPolicy(content: HTMLElement): void {
  read('/api/policy', 'policy').then(
    (view) => {
      show(content, view);
    },
    (error: unknown) => {
      fill(
        content,
        failure(sentenceOf(error), () => {
          startPolicy(content);
        }),
      );
    },
  );
}

function show(content: HTMLElement, { file, groups, hosts, clients }: PolicyView): void {
  const intro = el(
    'p',
    { class: 'intro' },
    'This is what ftpseal does on this machine, for every user. The administrator decides it in ',
    el('code', {}, file),
    '; what is set there is marked ',
    lock(),
    '.',
  );
  const special =
    hosts.length === 0
      ? el('p', { class: 'hint' }, 'No server has rules of its own.')
      : el(
          'div',
          { class: 'groups' },
          ...hosts.map(({ match, rows }) => group(match, rows, 'h3', 'This server has no special rules.')),
        );
  fill(
    content,
    intro,
    el('div', { class: 'groups' }, ...groups.map(({ title, rows }) => group(title, rows, 'h2', ''))),
    el('h2', {}, 'Rules for single servers'),
    special,
    ...devices(clients),
  );
}

/** Only a gateway has such rules; nobody else needs to read of them. */
function devices(clients: PolicyView['clients']): readonly HTMLElement[] {
  if (clients.length === 0) return [];
  const cards = clients.map(({ match, rows }) => group(match, rows, 'h3', ''));
  return [el('h2', {}, 'Rules for devices behind this machine'), el('div', { class: 'groups' }, ...cards)];
}

function group(title: string, rows: readonly SettingRow[], heading: 'h2' | 'h3', empty: string): HTMLElement {
  const list =
    rows.length === 0
      ? el('p', { class: 'hint' }, empty)
      : el('dl', { class: 'settings' }, ...rows.map(setting));
  return el('section', { class: 'card' }, el(heading, {}, title), list);
}

function setting({ key, title, meaning, value, locked }: SettingRow): HTMLElement {
  return el(
    'div',
    {},
    el('dt', {}, title, el('code', { class: 'sub' }, key)),
    el(
      'dd',
      {},
      el('span', { class: 'value' }, value, locked ? lock() : el('span', { class: 'origin' }, 'usual value')),
      meaning !== '' && el('span', { class: 'sub' }, meaning),
    ),
  );
}
