// What the redirect tests ask of their agents, one small process a host and user.
import { z } from 'zod';
import { endpointSchema, ipAddressSchema, portRangeSchema, portSchema } from '../../../shared/endpoint.js';
import { userIdSchema } from '../../../shared/user-id-schema.js';

const planSchema = z.object({
  ports: portSchema.array().readonly(),
  proxyUid: userIdSchema,
  workers: z
    .object({
      control: portSchema,
      data: portSchema,
      dataLast: portSchema.optional(),
      virtual: portRangeSchema,
    })
    .array()
    .readonly(),
  exemptUids: userIdSchema.array().readonly(),
  exemptNets: z.object({ address: ipAddressSchema, prefix: z.number() }).array().readonly(),
  servers: z.object({ address: ipAddressSchema, activePort: portSchema }).array().readonly(),
  onFailure: z.enum(['open', 'closed']),
});

export const requestSchema = z.discriminatedUnion('kind', [
  /** Listens; each accepted connection is greeted with `greeting` and echoed from there on. */
  z.object({ kind: z.literal('listen'), host: z.string(), port: z.number(), greeting: z.string() }),
  /** Every connection accepted so far. */
  z.object({ kind: z.literal('accepted') }),
  /** Connects and waits for the greeting. */
  z.object({
    kind: z.literal('connect'),
    host: z.string(),
    port: z.number(),
    from: z.object({ host: z.string().optional(), port: z.number().optional() }),
  }),
  /** Sends `text` and waits for its echo, given back as `greeting`. */
  z.object({ kind: z.literal('say'), id: z.number(), text: z.string() }),
  /** Ends the connection `id`, orderly or by a reset. */
  z.object({ kind: z.literal('end'), id: z.number(), reset: z.boolean() }),
  z.object({ kind: z.literal('owner'), client: endpointSchema, server: endpointSchema }),
  z.object({ kind: z.literal('program'), client: endpointSchema, server: endpointSchema }),
  /** What the TUN layer knows of a connection that the proxy accepted. */
  z.object({ kind: z.literal('origin'), peer: endpointSchema, local: endpointSchema }),
  /** Waits until the packet engine has stopped by itself; its sentence is given back as `greeting`. */
  z.object({ kind: z.literal('failure') }),
  /** Ends the agent by an error that nobody catches. */
  z.object({ kind: z.literal('fail') }),
  z.object({ kind: z.literal('apply'), plan: planSchema }),
  z.object({ kind: z.literal('drain') }),
  z.object({ kind: z.literal('clear') }),
]);
export type Request = z.infer<typeof requestSchema>;

const acceptedSchema = z.object({
  id: z.number(),
  /** The port that the agent listens on. */
  port: z.number(),
  peer: z.string(),
  original: z.string().optional(),
  /** What `socketOwner` says at the moment of the accept. */
  owner: userIdSchema.optional(),
});
export type Accepted = z.infer<typeof acceptedSchema>;

export const answerSchema = z.object({
  accepted: acceptedSchema.array().optional(),
  id: z.number().optional(),
  local: z.string().optional(),
  remote: z.string().optional(),
  greeting: z.string().optional(),
  uid: userIdSchema.optional(),
  pid: z.number().optional(),
  name: z.string().optional(),
  /** Why it failed: an errno name or a fault's code and sentence. */
  error: z.string().optional(),
});
export type Answer = z.infer<typeof answerSchema>;
