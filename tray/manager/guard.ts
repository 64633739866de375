// What every request passes before anything else looks at it: the headers of every answer, and the checks of where the request
// came from. A page of the internet can make a browser ask a port on loopback; it must get nothing and change nothing.
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import type { AccessBook, BrowserSession } from './access.js';
import { refusedDocument } from './documents.js';
import type { ErrorView } from './wire.js';

export interface GuardEnv {
  readonly Variables: { session: BrowserSession };
}

/** `http://127.0.0.1:port`, known once the server listens. */
export type OwnOrigin = () => string;

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': policy,
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=()',
};

export function answerHeaders(): MiddlewareHandler {
  return async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
  };
}

/** Refuses requests for another host (rebound names), of another page, and changes that do not come from our own page. */
export function originGuard(origin: OwnOrigin): MiddlewareHandler {
  return async (context, next) => {
    const { req } = context;
    const own = origin();
    const isChange = req.method !== 'GET' && req.method !== 'HEAD';
    const from = req.header('origin');
    const site = req.header('sec-fetch-site');
    const isOpening = req.path === '/open';
    if (`http://${req.header('host') ?? ''}` !== own)
      return forbidden(context, 'This is not the manager’s address.');
    if (from === undefined ? isChange : from !== own)
      return forbidden(context, 'Another page asked for this.');
    if (!isOpening && site !== undefined && site !== 'same-origin' && site !== 'none') {
      return forbidden(context, 'Another page asked for this.');
    }
    await next();
    return undefined;
  };
}

/** Lets only browsers with a session through; a change needs the page's own token as well. */
export function sessionGuard(access: AccessBook, cookie: () => string): MiddlewareHandler<GuardEnv> {
  return async (context, next) => {
    const { req } = context;
    const session = access.find(getCookie(context, cookie()));
    if (session === undefined) return signedOut(context);
    const isChange = req.method !== 'GET' && req.method !== 'HEAD';
    if (isChange && req.header('x-ftpseal-csrf') !== session.csrf) {
      return forbidden(context, 'This page is too old. Open the manager again from the tray.');
    }
    if (isChange && req.header('content-type') !== 'application/json') {
      return forbidden(context, 'This is no request of the manager’s.');
    }
    context.set('session', session);
    await next();
    return undefined;
  };
}

/** Without a session: a sentence that says how to get one. */
export function signedOut(context: Context): Response | Promise<Response> {
  const text =
    'Click the ftpseal seal in your panel and choose “Open manager…”. A link works only once, and for a minute.';
  if (context.req.path.startsWith('/api/'))
    return context.json(error('Open the manager again from the tray.'), 401);
  return context.html(refusedDocument('This link has been used or is too old', text), 401);
}

function forbidden(context: Context, text: string): Response | Promise<Response> {
  if (context.req.path.startsWith('/api/')) return context.json(error(text), 403);
  return context.html(refusedDocument('Not allowed', text), 403);
}

export function error(text: string): ErrorView {
  return { kind: 'error', text };
}
