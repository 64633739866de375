// What a test asks of the engine that runs under Wine: one JSON text a line, over a connection that the engine makes.
import { z } from 'zod';
import { endpointSchema } from '../../../shared/endpoint.js';
import { userIdSchema } from '../../../shared/user-id-schema.js';

/** An object; the engine's own schema checks the rest. */
export const planSchema = z.looseObject({});

export const requestSchema = z.discriminatedUnion('kind', [
  /** `plan` is checked by the engine's own schema. */
  z.object({
    kind: z.literal('apply'),
    plan: z.unknown(),
    onFailure: z.enum(['open', 'closed']).default('open'),
  }),
  z.object({ kind: z.literal('drain') }),
  z.object({ kind: z.literal('clear') }),
  z.object({ kind: z.literal('origin'), peer: endpointSchema, local: endpointSchema }),
  /** Waits until the layer has stopped by itself; its sentence is the answer. */
  z.object({ kind: z.literal('failure') }),
  /** Ends the process: by process.exit, or by an error that nobody catches. */
  z.object({ kind: z.literal('exit') }),
  z.object({ kind: z.literal('throw') }),
]);
export type EngineRequest = z.input<typeof requestSchema>;

export const answerSchema = z.object({
  origin: z
    .object({ client: endpointSchema, server: endpointSchema, uid: userIdSchema.optional() })
    .optional(),
  sentence: z.string().optional(),
  /** A fault's code and sentence. */
  error: z.string().optional(),
});
export type EngineAnswer = z.infer<typeof answerSchema>;
