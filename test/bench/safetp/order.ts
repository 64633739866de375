// What the measuring client of the X-SafeTP1 benchmark is asked to do, and what it answers; one JSON text each.
import { z } from 'zod';

export const orderSchema = z
  .object({
    address: z.string(),
    user: z.string(),
    password: z.string(),
    mechanism: z.enum(['X-SafeTP1', 'TLS', 'none']),
    /** PROT; with `none` it stays at C. */
    level: z.enum(['C', 'S', 'P']),
    /** PBSZ in bytes, for X-SafeTP1. */
    bufferSize: z.number(),
    job: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('logins'), count: z.number() }),
      z.object({ kind: z.literal('noops'), count: z.number() }),
      z.object({ kind: z.literal('get'), remote: z.string() }),
      z.object({ kind: z.literal('put'), remote: z.string(), local: z.string() }),
    ]),
  })
  .readonly();
export type Order = z.infer<typeof orderSchema>;

export const resultSchema = z
  .object({
    /** Seconds, one number for each time that the work was done. */
    times: z.array(z.number()).readonly(),
    /** User and system time of the client in seconds. */
    cpu: z.number(),
    bytes: z.number(),
  })
  .readonly();
export type Result = z.infer<typeof resultSchema>;
