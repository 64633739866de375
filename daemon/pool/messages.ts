// What the proxy's main thread and its workers say to each other. Both sides check every message: a worker
// handles hostile bytes, and a bug there must not become a bug here.
import { z } from 'zod';
import { endpointSchema, ipAddressSchema, portSchema } from '../../shared/endpoint.js';
import {
  ALSO_NAMED_MAX,
  connectionSchema,
  decisionSchema,
  nameSources,
  questionSchema,
} from '../../shared/trust.js';
import { userIdSchema } from '../../shared/user-id-schema.js';

/** How a session stands, for `ftpseal sessions`. Replaces the previous state of the same session whole. */
export const sessionStateSchema = z
  .object({
    id: z.string().max(64),
    connection: connectionSchema,
    startedAt: z.number(),
    /** The phase of daemon/ftp/state.ts. */
    phase: z.string().max(32),
    /** `none` until decided. */
    protection: z.enum(['none', 'secured', 'cleartext', 'tunnelled', 'relayed']),
    mechanism: z.string().max(32).optional(),
    protocol: z.string().max(32).optional(),
    cipher: z.string().max(128).optional(),
    data: z.enum(['unknown', 'private', 'clear', 'refused']),
    bytesUp: z.number(),
    bytesDown: z.number(),
    transfers: z.number(),
    /** Transfers that were cut off on the way and reported as failed to the client. */
    cut: z.number().optional(),
    warning: z.string().max(512).optional(),
  })
  .readonly();
export type SessionState = z.infer<typeof sessionStateSchema>;

/** What a worker asks of the main thread; each gets exactly one answer with the same id. */
export const workerRequestSchema = z.discriminatedUnion('kind', [
  /**
   * A connection was accepted: is this server known to have been secure? Unless it is refused it is a session from the answer on, in
   * the state of `firstState`, and owes an `ended`.
   */
  z.object({
    kind: z.literal('begin'),
    id: z.string().max(64),
    startedAt: z.number(),
    connection: connectionSchema,
  }),
  /** Make passive and active data connections of this server work; answered when the redirect layer has it. */
  z.object({ kind: z.literal('reserve'), address: ipAddressSchema }),
  /** What an accepted connection was before the redirect, where the kernel can't tell (divert.layer = "tun"). */
  z.object({ kind: z.literal('origin'), peer: endpointSchema, local: endpointSchema }),
  z.object({
    kind: z.literal('judge'),
    sessionId: z.string(),
    connection: connectionSchema,
    question: questionSchema,
  }),
]);
export type WorkerRequest = z.infer<typeof workerRequestSchema>;

export const workerAnswerSchema = z.discriminatedUnion('kind', [
  /**
   * `name`: what the server is called, where the connection itself brought no name; `alsoNamed`: what else. `paused`: the person who
   * owns the connection wants it left alone.
   */
  z.object({
    kind: z.literal('begun'),
    knownSecure: z.boolean(),
    /** The server once did better than the weakest mechanisms: they are not to be offered. */
    strongOnly: z.boolean(),
    paused: z.boolean(),
    /** Why this connection is not to become a session; a sentence for the client. */
    refused: z.string().max(300).optional(),
    name: z.string().max(256).optional(),
    nameFrom: z.enum(nameSources).optional(),
    alsoNamed: z.string().max(256).array().max(ALSO_NAMED_MAX).readonly().optional(),
  }),
  /** `activePort`: bind to it and the client sees the server's address, port 20; undefined where no redirect layer runs. */
  z.object({ kind: z.literal('reserved'), activePort: portSchema.optional() }),
  /** Absent for a connection that was not redirected. */
  z.object({
    kind: z.literal('origin'),
    origin: z
      .object({ client: endpointSchema, server: endpointSchema, uid: userIdSchema.optional() })
      .optional(),
  }),
  z.object({ kind: z.literal('decided'), decision: decisionSchema }),
  z.object({ kind: z.literal('failed'), sentence: z.string() }),
]);
export type WorkerAnswer = z.infer<typeof workerAnswerSchema>;

/** Worker to main. */
export const fromWorkerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), control: endpointSchema.array(), data: endpointSchema.array() }),
  z.object({ kind: z.literal('request'), id: z.number().int(), request: workerRequestSchema }),
  /** The server agreed to TLS; what becomes of it is another matter. */
  z.object({ kind: z.literal('began'), server: endpointSchema }),
  z.object({ kind: z.literal('session'), state: sessionStateSchema }),
  /** With its last state. It needs no answer any more to what it may have asked. */
  z.object({ kind: z.literal('ended'), state: sessionStateSchema, reason: z.string().max(512) }),
  z.object({
    kind: z.literal('log'),
    level: z.enum(['debug', 'info', 'warn', 'error']),
    message: z.string().max(2048),
    fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  /** The answer to `ping`: the same number. */
  z.object({ kind: z.literal('pong'), number: z.number().int() }),
]);
export type FromWorker = z.infer<typeof fromWorkerSchema>;

/** Main to worker. */
export const toWorkerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('answer'), id: z.number().int(), answer: workerAnswerSchema }),
  z.object({ kind: z.literal('closeSession'), id: z.string() }),
  /** Whether the worker still answers; one that does not is ended and replaced. */
  z.object({ kind: z.literal('ping'), number: z.number().int() }),
  /** Stop accepting and, after the grace, end. */
  z.object({ kind: z.literal('stop'), graceMs: z.number() }),
]);
export type ToWorker = z.infer<typeof toWorkerSchema>;
