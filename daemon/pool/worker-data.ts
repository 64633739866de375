// What a worker thread is given at birth (`workerData`). It is checked on arrival like every other message.
import { z } from 'zod';
import { endpointSchema, portRangeSchema } from '../../shared/endpoint.js';
import { configSchema } from '../config.js';

/**
 * Where a worker listens.
 * `loopback`: on 127.0.0.1 and, where the machine has it, ::1 (0.0.0.0 and :: with divert.layer = "tun"), with one port for
 * control and one for data connections, each the same on both addresses: the first free ones of `range`, which is this worker's alone,
 * so a replacement finds the ports of its predecessor again. Reported in `ready`.
 * `endpoints`: exactly these, for the explicit proxy; only one worker exists then and `ready.data` is empty.
 */
const listenSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('loopback'), range: portRangeSchema }).readonly(),
  z.object({ kind: z.literal('endpoints'), control: endpointSchema.array().readonly() }).readonly(),
]);

const workerDataSchema = z
  .object({
    /** 0 to workers - 1; a replacement has the index of the worker that it replaces. */
    index: z.number().int().min(0),
    workers: z.number().int().min(1),
    mode: z.enum(['redirect', 'explicit']),
    config: configSchema,
    listen: listenSchema,
    /** This worker's share of divert.data_ports; absent without a redirect layer. */
    virtual: portRangeSchema.optional(),
    /** This worker's share of divert.source_ports; absent without a redirect layer: any port will do. */
    sourcePorts: portRangeSchema.optional(),
  })
  .readonly();

/** Everything that a worker needs to know; what changes later comes as messages. */
export type WorkerData = z.infer<typeof workerDataSchema>;

/** `workerData` itself. */
export const workerBirthSchema = z.object({
  data: workerDataSchema,
  /** Where the main thread finds the worker's own descriptors (sys/watched-descriptors.ts). */
  descriptors: z.instanceof(SharedArrayBuffer),
});
export type WorkerBirth = z.infer<typeof workerBirthSchema>;
