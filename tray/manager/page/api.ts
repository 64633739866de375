// Asks the manager's server. A failure is an ApiError with a sentence for the person.
import type { Reply } from '../wire.js';

export class ApiError extends Error {}

type ReplyOf<K extends Reply['kind']> = Extract<Reply, { readonly kind: K }>;

/** Reads a view; `kinds` are those that the caller can deal with. */
export async function read<K extends Reply['kind']>(
  path: string,
  ...kinds: readonly K[]
): Promise<ReplyOf<K>> {
  return ask(path, { headers: { accept: 'application/json' } }, kinds);
}

/** Makes a change. */
export async function change<K extends Reply['kind'] = 'done'>(
  path: string,
  content: object,
  ...kinds: readonly K[]
): Promise<ReplyOf<K>> {
  const headers = { 'content-type': 'application/json', 'x-ftpseal-csrf': csrf() };
  return ask(path, { method: 'POST', headers, body: JSON.stringify(content) }, kinds);
}

async function ask<K extends Reply['kind']>(
  path: string,
  init: RequestInit,
  kinds: readonly K[],
): Promise<ReplyOf<K>> {
  const response = await fetch(path, { ...init, credentials: 'same-origin', redirect: 'error' }).catch(
    () => undefined,
  );
  if (response === undefined) {
    throw new ApiError(
      'The tray program of ftpseal does not answer. Start it again, then open the manager from it.',
    );
  }
  const reply: unknown = await response.json().catch(() => undefined);
  if (isReply(reply, 'error')) throw new ApiError(reply.text);
  for (const kind of kinds) if (isReply(reply, kind)) return reply;
  throw new ApiError('The manager gave an answer that this page does not know. Load the page again.');
}

/** Server and pages are one program of one version: the kind tells the rest. */
export function isReply<K extends Reply['kind']>(value: unknown, kind: K): value is ReplyOf<K> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

export function sentenceOf(error: unknown): string {
  return error instanceof ApiError ? error.message : 'Something went wrong on this page. Load it again.';
}

function csrf(): string {
  return document.querySelector('meta[name="csrf"]')?.getAttribute('content') ?? '';
}
