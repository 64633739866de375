// The JSON side of the manager: one route for each thing a page shows or does. Rights are the daemon's matter: this process is
// the person's own.
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { Fault } from '../../shared/fault.js';
import type { DaemonLink } from '../agent-state.js';
import { error, type GuardEnv } from './guard.js';
import type { KeyActions } from './key-actions.js';
import type { LiveFeed } from './live-feed.js';
import { QuestionActions } from './question-actions.js';
import { checkupView } from './views/checkup-view.js';
import { historyCsv, historyView } from './views/history-view.js';
import { keysView } from './views/keys-view.js';
import { policyView } from './views/policy-view.js';
import type { UserId } from '../../shared/user-id.js';

export interface ApiWorld {
  readonly link: DaemonLink;
  readonly live: LiveFeed;
  readonly keys: KeyActions;
  readonly now: () => number;
  readonly userName: (uid: UserId) => string;
  readonly configPath: string | undefined;
}

/** A pasted certificate fits; a key file of thousands of servers fits into the import alone. */
const maxBody = 512 * 1024;
const maxImport = 6 * 1024 * 1024;

const text = (max: number) => z.string().max(max);
const bodies = {
  session: z.strictObject({ id: text(64) }),
  add: z.strictObject({ server: text(300), key: text(256 * 1024), comment: text(256) }),
  rename: z.strictObject({ place: text(200), fingerprint: text(128), label: text(64) }),
  key: z.strictObject({ place: text(200), fingerprint: text(128) }),
  undo: z.strictObject({ undo: text(64) }),
  import: z.strictObject({ file: text(maxImport) }),
  answer: z.strictObject({
    answer: z.union([
      z.enum(['always', 'once', 'refuse']),
      z.strictObject({ pasted: text(2048) }),
      z.strictObject({ confirmed: text(256) }),
    ]),
  }),
  nothing: z.strictObject({}),
} as const;

export function managerApi(world: ApiWorld): Hono<GuardEnv> {
  const api = new Hono<GuardEnv>();
  const tooLarge = (context: Context) => context.json(error('This is too large.'), 413);
  const small = bodyLimit({ maxSize: maxBody, onError: tooLarge });
  const large = bodyLimit({ maxSize: maxImport, onError: tooLarge });
  api.use((context, next) => (context.req.path === '/api/keys/import' ? large : small)(context, next));
  api.onError((cause, context) => failed(cause, context));
  addViews(api, world);
  addKeyChanges(api, world.keys);
  addQuestions(api, world);
  api.post('/sessions/close', async (context) => {
    await world.link.request('sessions.close', await body(context, bodies.session));
    return context.json({ kind: 'done', text: 'The session was closed.' });
  });
  api.all('*', (context) => context.json(error('There is no such thing here.'), 404));
  return api;
}

function addViews(api: Hono<GuardEnv>, { link, live, keys, now, configPath }: ApiWorld): void {
  api.get('/live', (context) => {
    const session = context.get('session');
    const stream = live.open(() => {
      // A page that is looked at for hours must still be able to change something.
      session.usedAt = now();
    });
    if (stream === undefined) return context.json(error('Too many windows are open.'), 503);
    return context.body(stream, 200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  });
  api.get('/now', (context) => context.json(live.view()));
  api.get('/keys', async (context) =>
    context.json(keysView(await link.request('keys.list', {}), link.state)),
  );
  api.get('/policy', async (context) => context.json(policyView(await link.request('config.show', {}))));
  api.get('/history', async (context) => context.json(historyView(await events(link))));
  api.get('/checkup', async (context) => context.json(await checkupView(link.state, configPath, now())));
  api.get('/keys/export', async (context) =>
    download(context, 'ftpseal-keys.json', 'application/json', await keys.export()),
  );
  api.get('/history/export', async (context) => {
    const csv = historyCsv(historyView(await events(link)).rows);
    return download(context, 'ftpseal-history.csv', 'text/csv; charset=utf-8', csv);
  });
}

async function events(link: DaemonLink) {
  return (await link.request('history.list', { limit: 1000 })).events;
}

function addKeyChanges(api: Hono<GuardEnv>, keys: KeyActions): void {
  api.post('/keys/add', async (context) => {
    const { server, key, comment } = await body(context, bodies.add);
    return context.json(await keys.add(server, key, comment));
  });
  api.post('/keys/rename', async (context) => {
    const { place, fingerprint, label } = await body(context, bodies.rename);
    return context.json(await keys.rename(place, fingerprint, label));
  });
  api.post('/keys/revoke', async (context) => {
    const { place, fingerprint } = await body(context, bodies.key);
    return context.json(await keys.revoke(place, fingerprint));
  });
  api.post('/keys/remove', async (context) => {
    const { place, fingerprint } = await body(context, bodies.key);
    return context.json(await keys.remove(place, fingerprint));
  });
  api.post('/keys/import', async (context) =>
    context.json(await keys.import((await body(context, bodies.import)).file)),
  );
  api.post('/undo', async (context) =>
    context.json(await keys.undo((await body(context, bodies.undo)).undo)),
  );
}

function addQuestions(api: Hono<GuardEnv>, world: ApiWorld): void {
  const questions = new QuestionActions(world);
  api.get('/question/:id', (context) => context.json(questions.page(context.req.param('id'))));
  api.post('/question/:id/answer', async (context) => {
    const { answer } = await body(context, bodies.answer);
    return context.json(await questions.answer(context.req.param('id'), answer));
  });
  api.post('/question/:id/hold', async (context) => {
    await body(context, bodies.nothing);
    return context.json(await questions.hold(context.req.param('id')));
  });
}

/** The request's body, checked. Throws a Fault of code `protocol`. */
async function body<S extends z.ZodType>(context: Context, schema: S): Promise<z.output<S>> {
  const raw: unknown = await context.req.json().catch(() => undefined);
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new Fault('protocol', 'This is too long or in a form that the manager does not know.', parsed.error);
}

function download(context: Context, name: string, type: string, content: string): Response {
  return context.body(content, 200, {
    'content-type': type,
    'content-disposition': `attachment; filename="${name}"`,
  });
}

/** People read the sentence; what it really was is not theirs to guess from a page. */
function failed(cause: unknown, context: Context): Response {
  if (!(cause instanceof Fault) || cause.code === 'internal') {
    return context.json(error('Something went wrong inside ftpseal. The log says more: ftpseal log'), 500);
  }
  const status = cause.code === 'no-daemon' ? 503 : cause.code === 'not-permitted' ? 403 : 400;
  return context.json(error(cause.userMessage), status);
}
