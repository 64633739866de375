// What the lab's man in the middle is told to do, and what it reports.
import { z } from 'zod';

const placeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('bytes'), count: z.number() }),
  z.object({ kind: z.literal('records'), count: z.number() }),
  z.object({ kind: z.literal('closing') }),
]);

/** What happens to control connections. */
const controlSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pass') }),
  /** AUTH becomes a word that no server knows. */
  z.object({ kind: z.literal('garbleAuth') }),
  /** AUTH gets this answer and never reaches the server, and whatever the client says next gets the other one. */
  z.object({ kind: z.literal('answerAuth'), text: z.string(), then: z.string() }),
  /** AUTH TLS and AUTH SSL get this answer and never reach the server; all else passes. */
  z.object({ kind: z.literal('refuseTls'), text: z.string() }),
  /** AUTH is swallowed, and the connection ended. */
  z.object({ kind: z.literal('hangUpOnAuth') }),
  /** These bytes follow the server's 234 at once. */
  z.object({ kind: z.literal('injectAfter234'), text: z.string() }),
  /** The server's greeting is exchanged for this. */
  z.object({ kind: z.literal('greet'), text: z.string() }),
]);

/** What happens to data connections. Always at the wire of the machine that is attacked; the server is served to its end. */
const dataSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pass') }),
  z.object({
    kind: z.literal('cut'),
    stream: z.enum(['download', 'upload']),
    how: z.enum(['FIN', 'RST']),
    at: placeSchema,
  }),
  /** The upload is let through up to the place; then the server is told that it is over, and the client as well. */
  z.object({ kind: z.literal('swallowEnd'), at: placeSchema }),
  /** The server's port is answered by the middle itself, with a key of its own. */
  z.object({ kind: z.literal('impersonate'), certificate: z.string(), key: z.string(), content: z.string() }),
  /** Somebody else is at the server's port first. */
  z.object({ kind: z.literal('steal'), tls: z.boolean() }),
]);

export const planSchema = z.object({ control: controlSchema, data: dataSchema });
export type Plan = z.infer<typeof planSchema>;

export const reportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('planned') }),
  /** A connection of the attacked machine came through. */
  z.object({ kind: z.literal('connection'), to: z.string() }),
  z.object({ kind: z.literal('cut') }),
  /** Part of a login, in clear. */
  z.object({ kind: z.literal('heard'), line: z.string() }),
  /** What the middle got to read of a stolen or impersonated data connection. */
  z.object({ kind: z.literal('read'), text: z.string() }),
]);
export type Report = z.infer<typeof reportSchema>;
