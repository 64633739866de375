// "Servers and keys": look, search, name, revoke, delete (and take it back), and add a key that came another way.
import type { DoneView, KeyRow, KeysView, ServerCard } from '../wire.js';
import { change, read, sentenceOf } from './api.js';
import { field, showDialog } from './dialog.js';
import { button, el, fill } from './dom.js';
import { icon } from './icons.js';
import { announce, factList, failure, keyFigure, lock, notice, toneIcon } from './parts.js';
import { plural } from './words.js';

export class KeysPage {
  readonly #list = el('div', { class: 'servers' });
  readonly #search = el('input', {
    type: 'search',
    id: 'search',
    placeholder: 'Name, address, fingerprint',
    autocomplete: 'off',
  });
  readonly #count = el('p', { class: 'hint', role: 'status' });
  readonly #done = el('div', { class: 'done', role: 'status' });
  #view: KeysView | undefined;

  constructor(content: HTMLElement) {
    this.#search.addEventListener('input', () => {
      this.#show();
    });
    const file = el('input', {
      type: 'file',
      id: 'import',
      accept: '.json,application/json',
      class: 'unseen',
      tabindex: '-1',
      'aria-label': 'Key file',
    });
    file.addEventListener('change', () => {
      void this.#import(file);
    });
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
      button(
        { class: 'primary' },
        () => {
          this.#add();
        },
        icon('plus'),
        'Add a key',
      ),
      button(
        {},
        () => {
          file.click();
        },
        icon('up'),
        'Import',
      ),
      el(
        'a',
        { class: 'button', href: '/api/keys/export', download: 'ftpseal-keys.json' },
        icon('down'),
        'Export',
      ),
      file,
    );
    fill(content, tools, this.#done, this.#count, this.#list);
    void this.load();
  }

  async load(): Promise<void> {
    try {
      this.#view = await read('/api/keys', 'keys');
      this.#show();
    } catch (error) {
      fill(
        this.#list,
        failure(sentenceOf(error), () => void this.load()),
      );
    }
  }

  #show(): void {
    const servers = this.#view?.servers ?? [];
    const words = this.#search.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    const found = servers.filter(({ haystack }) => words.every((word) => haystack.includes(word)));
    const opened = new Set(
      [...this.#list.querySelectorAll('details[open]')].map((one) => one.getAttribute('data-place')),
    );
    this.#count.textContent =
      words.length > 0
        ? `${found.length} of ${plural(servers.length, 'server')}`
        : plural(servers.length, 'server');
    this.#count.hidden = servers.length === 0;
    if (servers.length === 0)
      fill(
        this.#list,
        notice(
          'keys',
          'No servers yet',
          'A server’s key is kept here once you have trusted it. You can also add a key that its owner gave you.',
        ),
      );
    else if (found.length === 0)
      fill(
        this.#list,
        notice('search', 'Nothing found', 'No server’s name, address or key has these words in it.'),
      );
    else fill(this.#list, ...found.map((server) => this.#card(server, opened.has(server.id))));
  }

  #card(server: ServerCard, open: boolean): HTMLElement {
    const port = server.port === 21 ? '' : `, port ${server.port}`;
    const summary = el(
      'summary',
      {},
      toneIcon(server.tone),
      el(
        'span',
        { class: 'who' },
        el('span', { class: 'main' }, server.title),
        el('span', { class: 'sub' }, `${server.address}${port}`),
      ),
      el('span', { class: `state ${server.tone}` }, server.note),
    );
    const forget = button(
      { class: 'quiet' },
      () => {
        this.#forget(server);
      },
      'Forget this server',
    );
    const keys = server.keys.map((key) => this.#key(server, key));
    return el(
      'details',
      { class: 'card server', open, 'data-place': server.id },
      summary,
      ...keys,
      el('div', { class: 'buttons' }, server.fixed ? lock() : forget),
    );
  }

  #key(server: ServerCard, key: KeyRow): HTMLElement {
    const target = { place: server.id, fingerprint: key.fingerprint };
    const rename = button(
      {},
      () => {
        this.#rename(server, key);
      },
      'Rename',
    );
    const revoke = button(
      {},
      () => {
        this.#revoke(server, key);
      },
      'Revoke',
    );
    const remove = button({}, () => void this.#change('/api/keys/remove', target), 'Delete');
    const caption = key.revoked ? `${key.mechanism} key, revoked` : `${key.mechanism} key`;
    return el(
      'section',
      { class: key.revoked ? 'one-key revoked' : 'one-key' },
      keyFigure(key, caption),
      el(
        'div',
        {},
        factList(key.facts),
        !server.fixed && el('div', { class: 'buttons' }, rename, !key.revoked && revoke, remove),
      ),
    );
  }

  #rename(server: ServerCard, key: KeyRow): void {
    const label = el('input', {
      id: 'label',
      type: 'text',
      maxlength: '64',
      value: server.label,
      autocomplete: 'off',
    });
    showDialog({
      title: 'Rename this server',
      content: [
        field('Name', label, 'For your eyes only: it changes nothing about trust. Empty takes it away.'),
      ],
      confirm: 'Rename',
      run: () =>
        this.#changeOrThrow('/api/keys/rename', {
          place: server.id,
          fingerprint: key.fingerprint,
          label: label.value,
        }),
    });
  }

  #revoke(server: ServerCard, key: KeyRow): void {
    showDialog({
      title: 'Revoke this key?',
      content: [
        el(
          'p',
          {},
          `Revoke a key that was stolen or lost. Whoever shows it is refused from then on, at ${server.title} and everywhere else.`,
        ),
      ],
      confirm: 'Revoke the key',
      danger: true,
      run: () => this.#changeOrThrow('/api/keys/revoke', { place: server.id, fingerprint: key.fingerprint }),
    });
  }

  #forget(server: ServerCard): void {
    showDialog({
      title: `Forget ${server.title}?`,
      content: [
        el(
          'p',
          {},
          'Its keys are deleted, and that it was encrypted is forgotten. At the next connection it is a new server.',
        ),
      ],
      confirm: 'Forget the server',
      danger: true,
      run: () => this.#changeOrThrow('/api/keys/remove', { place: server.id, fingerprint: '' }),
    });
  }

  #add(): void {
    const server = el('input', {
      id: 'add-server',
      type: 'text',
      required: true,
      maxlength: '300',
      autocomplete: 'off',
      spellcheck: 'false',
      placeholder: 'files.example.com',
    });
    const key = el('textarea', {
      id: 'add-key',
      required: true,
      rows: '6',
      spellcheck: 'false',
      placeholder: 'SHA256:… or -----BEGIN CERTIFICATE-----',
    });
    const comment = el('input', { id: 'add-comment', type: 'text', maxlength: '256', autocomplete: 'off' });
    showDialog({
      title: 'Add a key',
      content: [
        el(
          'p',
          {},
          'Paste what the server’s owner gave you: the first connection is then checked against it, without a question.',
        ),
        field('Server', server, 'Name or address, with :port if it is not 21'),
        field('Key', key, 'A SHA-256 fingerprint, a PEM certificate or public key, or a SafeTP key block'),
        field('Where you have it from (if you like)', comment),
      ],
      confirm: 'Trust this key',
      run: () =>
        this.#changeOrThrow('/api/keys/add', {
          server: server.value,
          key: key.value,
          comment: comment.value,
        }),
    });
  }

  async #import(file: HTMLInputElement): Promise<void> {
    const [chosen] = file.files ?? [];
    if (chosen === undefined) return;
    await this.#change('/api/keys/import', { file: await chosen.text() });
    file.value = '';
  }

  async #change(path: string, content: object): Promise<void> {
    try {
      await this.#changeOrThrow(path, content);
    } catch (error) {
      fill(
        this.#done,
        el('p', { class: 'banner bad', role: 'alert' }, toneIcon('bad'), el('span', {}, sentenceOf(error))),
      );
    }
  }

  async #changeOrThrow(path: string, content: object): Promise<void> {
    this.#tell(await change(path, content, 'done'));
    await this.load();
  }

  #tell({ text, undo }: DoneView): void {
    announce(text);
    const back =
      undo === undefined ? undefined : button({}, () => void this.#change('/api/undo', { undo }), 'Undo');
    fill(this.#done, el('p', { class: 'banner good' }, toneIcon('good'), el('span', {}, text), back));
    back?.focus();
  }
}
