// What the daemon and its users (command line, tray) say to each other: JSON-RPC 2.0 methods over the Unix socket
// `ftpseal.sock`. Params and results are also the stable shapes of `--json`.
import { z } from 'zod';
import { sessionStateSchema } from '../daemon/pool/messages.js';
import {
  cleartextRecordSchema,
  fingerprintSchema,
  keyFileSchema,
  labelSchema,
  ownerSchema,
  pinRecordSchema,
  securedRecordSchema,
} from '../daemon/trust/pin-record.js';
import { vaultKindSchema } from './agent-messages.js';
import { ipAddressSchema, portSchema } from './endpoint.js';
import { concernSchema, connectionSchema, questionSchema } from './trust.js';

/** The largest message either side accepts; a key store of a few thousand servers fits. */
export const MAX_IPC_MESSAGE = 8 * 1024 * 1024;
export const SOCKET_NAME = 'ftpseal.sock';

const nothing = z.strictObject({});

export const statusSchema = z.object({
  version: z.string(),
  pid: z.number(),
  mode: z.enum(['redirect', 'explicit']),
  startedAt: z.number(),
  /** `none`: there is no redirect layer (explicit proxy). */
  redirect: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('active'), ports: z.array(portSchema) }),
    z.object({ kind: z.literal('failed'), sentence: z.string() }),
    z.object({ kind: z.literal('starting') }),
    z.object({ kind: z.literal('none'), listen: z.array(z.string()) }),
  ]),
  workers: z.array(
    z.object({ index: z.number(), alive: z.boolean(), sessions: z.number(), restarts: z.number() }),
  ),
  /** Of the caller's own sessions; of all for root and the proxy's own user. */
  sessions: z.object({ total: z.number(), secured: z.number(), cleartext: z.number(), other: z.number() }),
  questions: z.number(),
  /** The caller paused ftpseal for themselves; Unix milliseconds at which it ends by itself. */
  pausedUntil: z.number().optional(),
  /** The administrator's keys for everybody: how many count, and a sentence for each file that does not. */
  keysFolder: z
    .object({ folder: z.string(), keys: z.number(), troubles: z.array(z.string()) })
    // A daemon that an upgrade has left running knows nothing of it.
    .default({ folder: '', keys: 0, troubles: [] }),
  /** Sentences about what a person should know: cleartext in use, workers that died, a store that can't be written. */
  warnings: z.array(z.string()),
});
export type Status = z.infer<typeof statusSchema>;

export const sessionViewSchema = z.object({
  state: sessionStateSchema,
  /** The client program's name, where it is known. */
  program: z.string().optional(),
});
export type SessionView = z.infer<typeof sessionViewSchema>;

export const sessionEventSchema = z.discriminatedUnion('kind', [
  /** Always the first event: everything there is now. */
  z.object({ kind: z.literal('all'), sessions: z.array(sessionViewSchema) }),
  z.object({ kind: z.literal('changed'), session: sessionViewSchema }),
  z.object({ kind: z.literal('ended'), id: z.string(), reason: z.string() }),
]);
export type SessionEvent = z.infer<typeof sessionEventSchema>;

export const openQuestionSchema = z.object({
  id: z.string(),
  owner: ownerSchema,
  connection: connectionSchema,
  question: questionSchema,
  /** Why it is asked, as data: what a person may answer depends on it. */
  concern: concernSchema,
  why: z.string(),
  program: z.string().optional(),
  openedAt: z.number(),
  waiting: z.number(),
  /** Unix milliseconds at which the last session that waits gives up; absent while none waits. */
  deadline: z.number().optional(),
  /** Sessions that were refused at once because of this: the answer counts for the next one. */
  refused: z.number(),
});
export type QuestionView = z.infer<typeof openQuestionSchema>;

export const promptEventSchema = z.discriminatedUnion('kind', [
  /** Always the first event: every open question that the caller may see. */
  z.object({ kind: z.literal('all'), questions: z.array(openQuestionSchema) }),
  z.object({ kind: z.literal('opened'), question: openQuestionSchema }),
  z.object({ kind: z.literal('updated'), question: openQuestionSchema }),
  z.object({ kind: z.literal('closed'), id: z.string() }),
]);
export type PromptEvent = z.infer<typeof promptEventSchema>;

/** Which keys are meant: one key wherever it is, or everything of one server. */
export const keySelectorSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fingerprint'), fingerprint: fingerprintSchema }),
  /** `host` is a name or an address; without `port` every port is meant. */
  z.strictObject({ kind: z.literal('host'), host: z.string().min(1).max(256), port: portSchema.optional() }),
  z.strictObject({
    kind: z.literal('both'),
    host: z.string().min(1).max(256),
    port: portSchema.optional(),
    fingerprint: fingerprintSchema,
  }),
]);
export type KeySelector = z.infer<typeof keySelectorSchema>;

/** A key as it is shown. `file` is there for those that the administrator gives to everybody: the file in keys.d. */
export const listedKeySchema = pinRecordSchema
  .unwrap()
  .extend({ file: z.string().max(256).optional() })
  .readonly();

export type ListedKey = z.infer<typeof listedKeySchema>;

export const storeContentsSchema = z.object({
  keys: z.array(listedKeySchema),
  /** Servers that were secure once, whether or not a key of theirs is kept. */
  secured: z.array(securedRecordSchema),
  /** Servers to which a person allowed cleartext for good. */
  cleartext: z.array(cleartextRecordSchema),
});
export type StoreView = z.infer<typeof storeContentsSchema>;

const keysAdded = z.object({ keys: z.array(pinRecordSchema) });
const answerSchema = z.union([
  z.enum(['always', 'once', 'refuse']),
  z.strictObject({ pasted: z.string().max(1536) }),
  /** The server's name (its address, where it has none) as the person typed it: the only yes to a changed key or a downgrade. */
  z.strictObject({ confirmed: z.string().max(256) }),
]);

/** One thing that happened, as a person looks for it later. Holds no secret. */
export const historyEventSchema = z
  .object({
    at: z.number(),
    owner: ownerSchema,
    kind: z.enum(['secured', 'cleartext', 'asked', 'answered', 'refused', 'cut', 'keys']),
    /** Name or address of the server, with its port where it is not 21; empty where no one server is meant. */
    server: z.string().max(300),
    program: z.string().max(64).optional(),
    /** A sentence or less, for people. */
    text: z.string().max(600),
    fingerprint: z.string().max(64).optional(),
  })
  .readonly();
export type HistoryEvent = z.infer<typeof historyEventSchema>;

/** One key of the configuration as it is in force. `value` is written as in the file. */
export const settingSchema = z
  .object({ key: z.string().max(64), value: z.string().max(4096), origin: z.enum(['default', 'file']) })
  .readonly();
export type Setting = z.infer<typeof settingSchema>;

/** The configuration in force; only the administrator changes it, in the file. */
export const configViewSchema = z
  .object({
    file: z.string(),
    settings: z.array(settingSchema).max(64),
    /** Each [[host]] with what it sets, in the order in which they are tried. */
    hosts: z
      .array(z.object({ match: z.string().max(300), settings: z.array(settingSchema).max(32) }))
      .max(4096),
    /** Each [[client]], likewise. */
    clients: z
      .array(z.object({ match: z.string().max(300), settings: z.array(settingSchema).max(32) }))
      .max(1024),
  })
  .readonly();
export type ConfigView = z.infer<typeof configViewSchema>;

/** Every method: what it takes and what it gives. The keys are the JSON-RPC method names. */
export const ipcMethods = {
  status: { params: nothing, result: statusSchema },
  'sessions.list': { params: nothing, result: z.object({ sessions: z.array(sessionViewSchema) }) },
  /** From then on `sessions.event` notifications come, the first with everything; until the caller hangs up. */
  'sessions.watch': { params: nothing, result: nothing },
  'sessions.close': { params: z.strictObject({ id: z.string().max(64) }), result: nothing },
  'keys.list': { params: nothing, result: storeContentsSchema },
  'keys.find': { params: z.strictObject({ selector: keySelectorSchema }), result: storeContentsSchema },
  'keys.add': {
    params: z.strictObject({
      fingerprint: fingerprintSchema,
      addresses: z.array(ipAddressSchema).min(1).max(64),
      port: portSchema,
      name: z.string().min(1).max(256).optional(),
      /** Only root may name another owner than the caller; root's own keys are the machine's. */
      owner: ownerSchema.optional(),
      revoked: z.boolean(),
      comment: z.string().max(256),
      /** What the key is for; TLS if absent. */
      mechanism: z.enum(['TLS', 'X-SafeTP1']).optional(),
    }),
    result: keysAdded,
  },
  /** Forgets keys; with the last key of a server also that it was secure, and cleartext that was allowed. */
  'keys.remove': {
    params: z.strictObject({ selector: keySelectorSchema }),
    result: z.object({ keys: z.array(pinRecordSchema), forgotten: z.number() }),
  },
  /** The key is refused everywhere from now on; the server stays known as secure. */
  'keys.revoke': { params: z.strictObject({ selector: keySelectorSchema }), result: keysAdded },
  /** Gives a key of one server a label for people; an empty one takes it away. Changes nothing about trust. */
  'keys.rename': {
    params: z.strictObject({ selector: keySelectorSchema, label: labelSchema.or(z.literal('')) }),
    result: keysAdded,
  },
  'keys.export': { params: nothing, result: keyFileSchema },
  /** Adds every key of the file to those of the caller. A key that is revoked here stays revoked. */
  'keys.import': {
    params: z.strictObject({ file: keyFileSchema }),
    result: z.object({ added: z.number(), unchanged: z.number() }),
  },
  'prompts.list': { params: nothing, result: z.object({ questions: z.array(openQuestionSchema) }) },
  /** From then on `prompts.event` notifications come, the first with everything; until the caller hangs up. */
  'prompts.watch': { params: nothing, result: nothing },
  'prompts.answer': {
    params: z.strictObject({ id: z.string().max(64), answer: answerSchema }),
    result: z.object({ waiting: z.number() }),
  },
  /** A person has begun to deal with the question: those who wait get up to five minutes more, ten in all. */
  'prompts.hold': {
    params: z.strictObject({ id: z.string().max(64) }),
    result: z.object({ deadline: z.number().optional() }),
  },
  /** The newest events of the caller's own (root: of everybody), newest first. */
  'history.list': {
    params: z.strictObject({ limit: z.number().int().min(1).max(2000) }),
    result: z.object({ events: z.array(historyEventSchema) }),
  },
  'config.show': { params: nothing, result: configViewSchema },
  /**
   * The caller's own new connections pass untouched until `minutes` are over, except to servers for which the configuration
   * refuses cleartext. Sessions that run go on as they are.
   */
  pause: {
    params: z.strictObject({ minutes: z.number().int().min(1).max(60) }),
    result: z.object({ until: z.number() }),
  },
  /** Ends the caller's pause, if there is one. Sessions that began meanwhile stay untouched. */
  resume: { params: nothing, result: nothing },
  /** The last lines of the log (JSON, one a line); with `follow`, `log.line` notifications after that. */
  'log.tail': {
    params: z.strictObject({ lines: z.number().int().min(0).max(10_000), follow: z.boolean() }),
    result: z.object({ lines: z.array(z.string()) }),
  },
  /**
   * The caller is its user's agent from now on, until it hangs up; again at each change of its keychain. Root is refused.
   * `keys` says whether the daemon wants keychains at all.
   */
  'agent.register': {
    params: z.strictObject({ vault: vaultKindSchema }),
    result: z.object({ keys: z.enum(['keychain', 'file']) }),
  },
} as const;

export type IpcMethod = keyof typeof ipcMethods;
export type IpcParams<M extends IpcMethod> = z.output<(typeof ipcMethods)[M]['params']>;
export type IpcResult<M extends IpcMethod> = z.output<(typeof ipcMethods)[M]['result']>;

/** What the daemon sends unasked, to those who asked to watch. */
export const ipcNotifications = {
  'sessions.event': sessionEventSchema,
  'prompts.event': promptEventSchema,
  'log.line': z.object({ line: z.string() }),
} as const;
export type IpcNotification = keyof typeof ipcNotifications;
export type IpcNotificationParams<N extends IpcNotification> = z.output<(typeof ipcNotifications)[N]>;

/** What an error response carries in `data`, so that the caller gets the same Fault. */
export const ipcErrorSchema = z.object({ code: z.string() });
