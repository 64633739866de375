// What the main thread and the packet loop's thread say to each other. The loop's thread is blocked most of the time: it looks
// at its port before every batch, and the main thread looks at its own before every question.
import { z } from 'zod';
import { endpointSchema, ipAddressSchema, portRangeSchema, portSchema } from '../../../shared/endpoint.js';
import { userIdSchema } from '../../../shared/user-id-schema.js';

/** The part of a DivertPlan that the engine follows. */
const planSchema = z.object({
  ports: portSchema.array().readonly(),
  proxyUid: userIdSchema,
  /** By what the proxy's own connections to servers are known: by their user, or by ports that the source leaves out. */
  ownBy: z.enum(['user', 'port']),
  workers: z
    .object({ control: portSchema, data: portSchema, virtual: portRangeSchema })
    .readonly()
    .array()
    .readonly(),
  exemptUids: userIdSchema.array().readonly(),
  exemptNets: z.object({ address: ipAddressSchema, prefix: z.number().int() }).readonly().array().readonly(),
  servers: z.object({ address: ipAddressSchema, activePort: portSchema }).readonly().array().readonly(),
});

/** Main thread to loop. */
export const toLoopSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('plan'), plan: planSchema }),
  z.object({ kind: z.literal('drain') }),
  /** An engine before this one has failed or died: what its connections still send must not pass. */
  z.object({ kind: z.literal('refuseUnknown') }),
  /** The proxy has taken this connection: it must not expire while it is open. */
  z.object({ kind: z.literal('pin'), id: z.number().int() }),
  z.object({ kind: z.literal('stop') }),
]);
export type ToLoop = z.infer<typeof toLoopSchema>;

/** Loop to main thread. */
export const fromLoopSchema = z.discriminatedUnion('kind', [
  /** Sent before the connection's first packet goes on. */
  z.object({
    kind: z.literal('opened'),
    id: z.number().int(),
    client: endpointSchema,
    server: endpointSchema,
    uid: userIdSchema.optional(),
    aliasPort: portSchema,
    proxyPort: portSchema,
  }),
  z.object({ kind: z.literal('closed'), id: z.number().int() }),
]);
export type FromLoop = z.infer<typeof fromLoopSchema>;
