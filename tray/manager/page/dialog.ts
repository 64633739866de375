// Dialogs: the browser's own, which keep the keyboard inside, close with Escape and give the focus back.
import { button, el, fill, type Child } from './dom.js';
import { sentenceOf } from './api.js';

export interface DialogOptions {
  readonly title: string;
  readonly content: readonly Child[];
  readonly confirm: string;
  /** Looks like what it is: something that can't be taken back. */
  readonly danger?: boolean;
  /** Rejects with what the dialog then shows; it stays open. */
  readonly run: () => Promise<void>;
}

/** Shows a dialog until it is confirmed or closed. */
export function showDialog({ title, content, confirm, danger, run }: DialogOptions): void {
  const problem = el('p', { class: 'problem', role: 'alert' });
  const close = button(
    { class: 'quiet' },
    () => {
      dialog.close();
    },
    'Cancel',
  );
  const go = el('button', { type: 'submit', class: danger === true ? 'danger' : 'primary' }, confirm);
  const form = el(
    'form',
    { method: 'dialog' },
    el('h2', { id: 'dialog-title' }, title),
    ...content,
    problem,
    el('div', { class: 'buttons' }, close, go),
  );
  const dialog = el('dialog', { 'aria-labelledby': 'dialog-title' }, form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    go.disabled = true;
    run().then(
      () => {
        dialog.close();
      },
      (error: unknown) => {
        fill(problem, sentenceOf(error));
        go.disabled = false;
      },
    );
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** A labelled field of a dialog. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  const id = control.id;
  if (hint !== undefined) control.setAttribute('aria-describedby', `${id}-hint`);
  return el(
    'div',
    { class: 'field' },
    el('label', { for: id }, label),
    control,
    hint !== undefined && el('p', { class: 'hint', id: `${id}-hint` }, hint),
  );
}
