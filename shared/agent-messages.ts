// What the daemon asks of a user's agent (`ftpseal tray`) over the connection on which the agent registered: JSON-RPC
// requests in the other direction. All of it is about the user's keychain.
import { z } from 'zod';
import { cleartextRecordSchema, pinRecordSchema } from '../daemon/trust/pin-record.js';

/** Most records of one user that a keychain keeps; a desktop has tens. */
export const MAX_VAULT_RECORDS = 4000;
/** Most records that one page or one change carries. */
export const MAX_VAULT_PAGE = 200;

/** One record as an agent keeps it in its user's keychain. */
export const vaultRecordSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('pin'), record: pinRecordSchema }).readonly(),
  z.strictObject({ kind: z.literal('cleartext'), record: cleartextRecordSchema }).readonly(),
]);
export type VaultRecord = z.infer<typeof vaultRecordSchema>;

/** What an agent says of its user's keychain. `none`: it offers none. */
export const vaultKindSchema = z.enum(['ready', 'locked', 'absent', 'slow', 'none']);
export type VaultKind = z.infer<typeof vaultKindSchema>;

/** Every method: what it takes and what it gives. The keys are the JSON-RPC method names. */
export const agentMethods = {
  /** The user's records, page by page: the first with `from` 0, the next with `next` of the one before, until it is absent. */
  'vault.read': {
    params: z.strictObject({ from: z.number().int().min(0).max(MAX_VAULT_RECORDS) }),
    result: z.object({
      /** The daemon checks them one by one: a bad record must not cost the others. */
      records: z.array(z.unknown()).max(MAX_VAULT_PAGE),
      next: z.number().int().min(1).max(MAX_VAULT_RECORDS).optional(),
    }),
  },
  /** Resolves once the keychain has taken all of it. What is removed need only agree in what makes it the same record. */
  'vault.write': {
    params: z.strictObject({
      put: z.array(vaultRecordSchema).max(MAX_VAULT_PAGE),
      remove: z.array(vaultRecordSchema).max(MAX_VAULT_PAGE),
    }),
    result: z.strictObject({}),
  },
} as const;

export type AgentMethod = keyof typeof agentMethods;
export type AgentParams<M extends AgentMethod> = z.output<(typeof agentMethods)[M]['params']>;
export type AgentResult<M extends AgentMethod> = z.output<(typeof agentMethods)[M]['result']>;
