// What a worker thread is given at birth (`workerData`). It is checked on arrival like every other message.
import { z } from 'zod';
import { endpointSchema, portRangeSchema, portSchema } from '../../shared/endpoint.js';
import { configSchema } from '../config.js';

/**
 * Where a worker listens.
 * `loopback`: on 127.0.0.1 and, where the machine has it, ::1, with one port for control and one for data
 * connections. Each port is the same on both addresses. The ports given are those of the predecessor that died:
 * take them if they are free, otherwise (and when absent) any free ones, and report in `ready`.
 * `endpoints`: exactly these, for the explicit proxy; only one worker exists then.
 */
const listenSchema = z.discriminatedUnion('kind', [
  z
    .object({ kind: z.literal('loopback'), control: portSchema.optional(), data: portSchema.optional() })
    .readonly(),
  z.object({ kind: z.literal('endpoints'), control: endpointSchema.array().readonly() }).readonly(),
]);

export const workerDataSchema = z
  .object({
    /** 0 to workers - 1; a replacement has the index of the worker that it replaces. */
    index: z.number().int().min(0),
    workers: z.number().int().min(1),
    mode: z.enum(['redirect', 'explicit']),
    config: configSchema,
    listen: listenSchema,
    /** This worker's share of divert.data_ports. */
    virtual: portRangeSchema,
    /** This worker's share of divert.source_ports; absent where the proxy's upstream sockets take any port. */
    sourcePorts: portRangeSchema.optional(),
  })
  .readonly();

/** Everything that a worker needs to know; what changes later comes as messages. */
export type WorkerData = z.infer<typeof workerDataSchema>;
