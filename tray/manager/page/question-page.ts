// The question. Nothing here is decided by accident: no answer has the focus, Enter never trusts, and the buttons sleep until the
// page was there long enough to be seen.
import type { LiveView, QuestionGone, QuestionPage } from '../wire.js';
import { change, read, sentenceOf } from './api.js';
import { Countdown } from './countdown.js';
import { button, el, fill, type Child } from './dom.js';
import { icon, type IconName } from './icons.js';
import { announce, factList, failure, keyFigure } from './parts.js';

/** Long enough to notice that another window has come up under one's fingers. */
export const SLEEP_MS = 900;

const looks: Readonly<Record<QuestionPage['look'], IconName>> = {
  new: 'new',
  known: 'keys',
  changed: 'alert',
  downgraded: 'open',
  cleartext: 'open',
};

export class QuestionWindow {
  readonly #content: HTMLElement;
  readonly #id: string;
  readonly #sleepers = new Set<HTMLButtonElement>();
  readonly #problem = el('p', { class: 'problem', role: 'alert' });
  #countdown: Countdown | undefined;
  #state: 'loading' | 'open' | 'answering' | 'closed' = 'loading';
  #awakeAt = Infinity;

  constructor(content: HTMLElement, id: string) {
    this.#content = content;
    this.#id = id;
    void this.load();
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#sleep();
    });
  }

  async load(): Promise<void> {
    try {
      const page = await read(`/api/question/${this.#id}`, 'question', 'gone');
      // Meanwhile the person's own answer may have closed it, which says more than that it is gone.
      if (this.#state === 'answering' || this.#state === 'closed') return;
      if (page.kind === 'gone') this.#close(page, 'passed');
      else this.#show(page);
    } catch (error) {
      fill(
        this.#content,
        el('h1', {}, 'Question'),
        failure(sentenceOf(error), () => void this.load()),
      );
    }
  }

  /** The server's news: is the question still there, and how long does somebody wait? */
  update({ questions, connected }: LiveView): void {
    if (this.#state !== 'open') return;
    const mine = questions.find(({ id }) => id === this.#id);
    if (mine === undefined || !connected) void this.load();
    else if (mine.waiting === 0) this.#countdown?.update(undefined);
  }

  #show(page: QuestionPage): void {
    if (this.#state === 'open') return;
    this.#state = 'open';
    const hold = async () => (await change(`/api/question/${this.#id}/hold`, {}, 'done')).deadline;
    this.#countdown = new Countdown({ ...page, hold });
    document.title = `${page.title} – ftpseal`;
    const heading = el('h1', { tabindex: '-1' }, page.title);
    const head = el(
      'header',
      { class: `ask-head ${page.look}` },
      icon(looks[page.look]),
      el('div', {}, heading, el('p', {}, page.sentence)),
    );
    fill(
      this.#content,
      el(
        'article',
        { class: `question ${page.look}` },
        head,
        this.#countdown.element,
        this.#details(page),
        this.#answers(page),
      ),
    );
    this.#content.setAttribute('aria-busy', 'false');
    heading.focus();
    this.#sleep();
  }

  #details(page: QuestionPage): HTMLElement {
    const { key, earlier, certificate, flaws } = page;
    const isPair = key !== undefined && earlier.length > 0;
    const old = earlier.map((one) =>
      el('div', { class: 'old-key' }, keyFigure(one, 'The key that you trusted'), factList(one.facts)),
    );
    const keys =
      key !== undefined &&
      el(
        'section',
        { class: isPair ? 'keys pair' : 'keys', 'aria-label': 'Keys' },
        el(
          'div',
          { class: 'new-key' },
          keyFigure(key, isPair ? 'The key that it shows now' : 'The server’s key'),
        ),
        ...old,
      );
    const before = key === undefined && earlier.length > 0 && el('section', { class: 'keys' }, ...old);
    const warning =
      flaws.length > 0 && el('p', { class: 'banner bad' }, icon('alert'), el('span', {}, flaws.join(' ')));
    const detail =
      certificate.length > 0 &&
      el(
        'details',
        { class: 'certificate', open: flaws.length > 0 },
        el(
          'summary',
          {},
          'Certificate',
          flaws.length > 0 &&
            el('span', { class: 'flaw' }, flaws.length === 1 ? '1 flaw' : `${flaws.length} flaws`),
        ),
        factList(certificate),
      );
    return el(
      'div',
      { class: 'details' },
      el('section', { class: 'who-where', 'aria-label': 'Who asks, and for what' }, factList(page.facts)),
      keys,
      before,
      warning,
      detail,
    );
  }

  #answers(page: QuestionPage): HTMLElement {
    const { answers } = page;
    const refuse = button(
      { class: 'refuse' },
      () => {
        this.#answer('refuse');
      },
      icon('bad'),
      'Refuse',
    );
    this.#sleepers.add(refuse);
    const yes: Child[] = answers.typedName === '' ? this.#plainAnswers(page) : [];
    return el(
      'section',
      { class: 'answers', 'aria-label': 'Your answer' },
      el('p', { class: 'advice' }, page.advice),
      answers.typedName === '' && answers.paste && this.#pasteField(),
      answers.typedName !== '' && this.#typedField(page),
      answers.always.why !== '' && el('p', { class: 'hint' }, answers.always.why),
      this.#problem,
      el('div', { class: 'buttons' }, refuse, ...yes),
    );
  }

  #plainAnswers({ answers }: QuestionPage): HTMLElement[] {
    const once = this.#trusting(
      { class: 'once' },
      () => {
        this.#answer('once');
      },
      answers.once.label,
    );
    const always = this.#trusting(
      { class: 'always' },
      () => {
        this.#answer('always');
      },
      answers.always.label,
    );
    if (!answers.always.allowed) {
      this.#sleepers.delete(always);
      always.disabled = true;
    }
    return [once, always];
  }

  /** A button whose answer trusts: Enter does nothing on it, the space bar and the pointer do. */
  #trusting(
    attributes: Readonly<Record<string, string>>,
    press: () => void,
    ...children: readonly Child[]
  ): HTMLButtonElement {
    const made = button({ ...attributes, disabled: true }, press, ...children);
    made.addEventListener('keydown', (event) => {
      this.#stopEnter(event);
    });
    this.#sleepers.add(made);
    return made;
  }

  #stopEnter(event: KeyboardEvent): void {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    this.#say('Enter never trusts. Press the space bar on the button if you mean it.');
  }

  #pasteField(): HTMLElement {
    const input = el('textarea', {
      id: 'paste',
      rows: 2,
      autocomplete: 'off',
      spellcheck: 'false',
      placeholder: 'SHA256:… or hexadecimal, or a SafeTP key',
      maxlength: 2048,
    });
    const compare = this.#trusting(
      { class: 'compare' },
      () => {
        if (input.value.trim() === '')
          this.#say('Paste the fingerprint that the server’s owner gave you first.');
        else this.#answer({ pasted: input.value });
      },
      'Compare and trust',
    );
    input.addEventListener('keydown', (event) => {
      this.#stopEnter(event);
    });
    return el(
      'div',
      { class: 'field' },
      el('label', { for: 'paste' }, 'Fingerprint that the owner gave you'),
      el('div', { class: 'with-button' }, input, compare),
      el('p', { class: 'hint' }, 'It is compared for you. Only a match is trusted.'),
    );
  }

  #typedField({ answers }: QuestionPage): HTMLElement {
    const input = el('input', {
      id: 'typed',
      type: 'text',
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: '256',
    });
    const confirm = this.#trusting(
      { class: 'danger' },
      () => {
        this.#answer({ confirmed: input.value });
      },
      answers.confirmLabel,
    );
    const paste = answers.paste && this.#pasteField();
    const gate = el('div', { class: 'gate', role: 'status' });
    const plain = (text: string) => text.trim().toLowerCase().replace(/\.$/, '');
    input.addEventListener('input', () => {
      // Until the name stands there, nothing that trusts is there at all.
      const isThere = plain(input.value) === plain(answers.typedName);
      if (isThere === (confirm.parentElement !== null)) return;
      if (isThere) fill(gate, paste, el('div', { class: 'buttons' }, confirm));
      else {
        fill(gate);
        confirm.remove();
      }
      this.#sleep();
    });
    input.addEventListener('keydown', (event) => {
      this.#stopEnter(event);
    });
    return el(
      'div',
      { class: 'field' },
      el(
        'label',
        { for: 'typed' },
        'To go on all the same, type the server’s name: ',
        el('code', {}, answers.typedName),
      ),
      input,
      gate,
    );
  }

  #sleep(): void {
    if (this.#state !== 'open') return;
    this.#awakeAt = performance.now() + SLEEP_MS;
    for (const sleeper of this.#sleepers) sleeper.disabled = true;
    window.setTimeout(() => {
      if (performance.now() < this.#awakeAt - 1) return;
      for (const sleeper of this.#sleepers) sleeper.disabled = false;
    }, SLEEP_MS);
  }

  #answer(
    answer: 'always' | 'once' | 'refuse' | { readonly pasted: string } | { readonly confirmed: string },
  ): void {
    if (this.#state !== 'open' || performance.now() < this.#awakeAt) return;
    this.#say('');
    this.#state = 'answering';
    change(`/api/question/${this.#id}/answer`, { answer }, 'done').then(
      ({ text }) => {
        this.#close(
          { kind: 'gone', title: answer === 'refuse' ? 'Refused' : 'Answered', text },
          answer === 'refuse' ? 'bad' : 'good',
        );
      },
      (error: unknown) => {
        this.#state = 'open';
        this.#say(sentenceOf(error));
      },
    );
  }

  #say(text: string): void {
    fill(this.#problem, text);
  }

  #close({ title, text }: QuestionGone, picture: IconName): void {
    this.#state = 'closed';
    this.#countdown?.stop();
    this.#sleepers.clear();
    document.title = `${title} – ftpseal`;
    const heading = el('h1', { tabindex: '-1' }, title);
    const link = el('a', { class: 'button', href: '/now' }, 'Open the manager');
    fill(
      this.#content,
      el(
        'section',
        { class: 'plain-card' },
        icon(picture),
        heading,
        el('p', {}, text),
        el('p', { class: 'hint' }, 'You can close this window.'),
        link,
      ),
    );
    this.#content.setAttribute('aria-busy', 'false');
    heading.focus();
    announce(text);
  }
}
