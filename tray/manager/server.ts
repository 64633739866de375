// The manager: the person's own window on ftpseal, served on loopback to their own browser and to nobody else.
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { userName as systemUserName } from '../../daemon/cli/user-names.js';
import { resolveName } from '../../daemon/proxy/host-names.js';
import type { IpAddress } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { DaemonLink } from '../agent-state.js';
import { AccessBook } from './access.js';
import { managerApi } from './api.js';
import { loadAssets, type Asset } from './assets.js';
import { managerDocument, questionDocument, type PageName } from './documents.js';
import { answerHeaders, originGuard, sessionGuard, signedOut, type GuardEnv } from './guard.js';
import { KeyActions } from './key-actions.js';
import { LiveFeed } from './live-feed.js';
import { isOwnPeer } from './peer-guard.js';
import type { UserId } from '../../shared/user-id.js';

export interface ManagerOptions {
  readonly link: DaemonLink;
  /** The daemon's configuration, where it is not in the usual place; for the check-up. */
  readonly configPath?: string | undefined;
  readonly now?: () => number;
  readonly resolve?: (name: string) => Promise<readonly IpAddress[]>;
  /** What users are called. */
  readonly userName?: (uid: UserId) => string;
}

export interface Manager {
  /** The address of a page (`now`, `keys`, `policy`, `history`, `checkup`, `question/<id>`), good once and for a minute. */
  urlFor(page: string): string;
  /** How many pages are open in browsers now. */
  readonly windows: number;
  close(): Promise<void>;
}

/** More connections than a few windows need; of this user alone, others are not even heard. */
const maxConnections = 128;

/** Rejects with a Fault of code `network` if it can't listen on loopback. */
export async function startManager(options: ManagerOptions): Promise<Manager> {
  const { link, configPath, now = Date.now, resolve = resolveName, userName = systemUserName } = options;
  const live = new LiveFeed({ link, now, userName });
  const access = new AccessBook(now);
  const place: Place = { origin: 'http://127.0.0.1', cookie: 'ftpseal' };
  const api = managerApi({
    link,
    live,
    keys: new KeyActions({ link, now, resolve }),
    now,
    userName,
    configPath,
  });
  const app = managerApp(place, access, api, loadAssets());
  const server = serverOf(app);
  await listen(server);
  const { port } = addressOf(server);
  Object.assign(place, { origin: `http://127.0.0.1:${port}`, cookie: `ftpseal-${port}` });
  return {
    urlFor: (page) => `${place.origin}/open?token=${access.issue(page)}`,
    get windows() {
      return live.streams;
    },
    close: async () => {
      live.close();
      await closeServer(server);
    },
  };
}

/** Known once the server listens. The cookie is called after the port: browsers don't keep ports apart. */
interface Place {
  origin: string;
  cookie: string;
}

function managerApp(
  place: Place,
  access: AccessBook,
  api: Hono<GuardEnv>,
  assets: ReadonlyMap<string, Asset>,
): Hono<GuardEnv> {
  const app = new Hono<GuardEnv>();
  const cookie = () => place.cookie;
  app.use(answerHeaders());
  app.use(originGuard(() => place.origin));
  app.get('/open', (context) => enter(context, place, access));
  app.get('/assets/:name', (context) => {
    const asset = assets.get(context.req.param('name'));
    return asset === undefined
      ? context.notFound()
      : context.body(asset.body, 200, { 'content-type': asset.type });
  });
  app.use(sessionGuard(access, cookie));
  app.route('/api', api);
  app.get('/', (context) => context.redirect('/now', 303));
  for (const page of pageNames) {
    app.get(`/${page}`, (context) => context.html(managerDocument(page, context.get('session').csrf)));
  }
  app.get('/question/:id', (context) =>
    context.html(questionDocument(context.req.param('id'), context.get('session').csrf)),
  );
  return app;
}

const pageNames: readonly PageName[] = ['now', 'keys', 'policy', 'history', 'checkup'];

/** A token becomes a cookie. A browser that has a session keeps it, so that its other windows go on. */
function enter(context: Context<GuardEnv>, place: Place, access: AccessBook): Response | Promise<Response> {
  const page = access.redeem(context.req.query('token') ?? '');
  if (page === undefined) return signedOut(context);
  if (access.find(getCookie(context, place.cookie)) === undefined) {
    setCookie(context, place.cookie, access.open().id, { httpOnly: true, sameSite: 'Strict', path: '/' });
  }
  return context.redirect(`/${page}`, 303);
}

function serverOf(app: Hono<GuardEnv>): Server {
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const limits = {
    maxHeaderSize: 16 * 1024,
    headersTimeout: 5000,
    requestTimeout: 15_000,
    keepAliveTimeout: 5000,
  };
  const server = createServer(limits, (request, response) => void listener(request, response));
  server.maxConnections = maxConnections;
  server.on('connection', (socket: Socket) => {
    if (!isOwnPeer(socket)) socket.destroy();
  });
  return server;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new Fault('network', 'The manager can’t listen on this computer’s own address 127.0.0.1.', cause),
      );
    });
    server.listen(0, '127.0.0.1', () => {
      resolve();
    });
  });
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Fault('internal', 'The manager listens nowhere.');
  return address;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
