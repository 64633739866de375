// TLS sessions of one control connection, for clients that resume by number and not by ticket: TLS 1.2 without tickets, as libcurl has it.
import { createServer, type Server } from 'node:net';

/** One control connection and the data connections of its last hours make a session each at most; the oldest give way. */
const SESSIONS_MAX = 8;

/**
 * What Node asks for sessions: the `server` option of a TLSSocket. It listens nowhere. One for a control connection and its data
 * connections, so that a session resumed from it can only come from there.
 */
export function createSessionStore(): Server {
  const kept = new Map<string, Buffer>();
  const store = createServer();
  store.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    kept.set(id.toString('hex'), session);
    const [oldest] = kept.keys();
    if (kept.size > SESSIONS_MAX && oldest !== undefined) kept.delete(oldest);
    done();
  });
  store.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
    done(null, kept.get(id.toString('hex')) ?? null);
  });
  return store;
}
