// What is remembered about servers: their keys, that they were secure, and where cleartext was allowed.
import { z } from 'zod';
import { ipAddressSchema, portSchema, type Endpoint } from '../../shared/endpoint.js';
import { parseFingerprint, type KeyFingerprint } from '../../shared/fingerprint.js';
import { userIdSchema } from '../../shared/user-id-schema.js';

export const fingerprintSchema = z.string().transform((text, context): KeyFingerprint => {
  const parsed = parseFingerprint(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a SHA-256 fingerprint' });
  return z.NEVER;
});

/** Whose record it is: the machine's count for everybody, a user's for that user alone. */
export const ownerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('machine') }).readonly(),
  z.object({ kind: z.literal('user'), uid: userIdSchema }).readonly(),
]);
export type Owner = z.infer<typeof ownerSchema>;

const when = z.number().int().min(0);
const nameSchema = z.string().min(1).max(256);

/** What a person calls a server; for display only. */
export const labelSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]*$/u, { error: 'must be one line of ordinary characters' });

const placeShape = {
  owner: ownerSchema,
  address: ipAddressSchema,
  port: portSchema,
  name: nameSchema.optional(),
};

/** A server's key at one address and port. One record for each (owner, address, port, fingerprint). */
export const pinRecordSchema = z
  .object({
    ...placeShape,
    fingerprint: fingerprintSchema,
    mechanism: z.string().max(32),
    /** The name for which a certificate authority vouched when the key was accepted. */
    caValidFor: z.string().max(256).optional(),
    firstSeen: when,
    /** Absent for a key that was added by hand and has not been met. */
    lastUsed: when.optional(),
    count: z.number().int().min(0),
    revoked: z.boolean(),
    comment: z.string().max(256),
    label: labelSchema.optional(),
  })
  .readonly();
export type PinRecord = z.infer<typeof pinRecordSchema>;

/** Stands in for the address of a key that is given for a name alone: no server has it. */
export const NO_ADDRESS = ipAddressSchema.parse('0.0.0.0');

/** A key that the administrator's files give to everybody; in memory only, no store keeps it and nobody deletes it. */
export interface FixedPin extends PinRecord {
  /** The file's name in the folder keys.d. */
  readonly file: string;
}

/** Whether a record is the administrator's. What was parsed as a `PinRecord` never is. */
export function isFixed(pin: PinRecord): pin is FixedPin {
  return 'file' in pin;
}

/** That a server was secure once: from then on cleartext to it is refused. */
export const securedRecordSchema = z
  .object({
    ...placeShape,
    lastSecured: when,
    /** An ordinary user's file says so, and the daemon has not seen it: it counts for that user alone. */
    claimed: z.literal(true).optional(),
  })
  .readonly();
export type SecuredRecord = z.infer<typeof securedRecordSchema>;

/** That a person answered "always" to a question about cleartext. */
export const cleartextRecordSchema = z.object({ ...placeShape, since: when }).readonly();
export type CleartextRecord = z.infer<typeof cleartextRecordSchema>;

/** The bound on each list; a desktop has tens. */
export const MAX_RECORDS = 20_000;
/** The bound on one user's part of each list: nobody's records take the places of all others'. */
export const MAX_RECORDS_PER_USER = 2000;

export const keyFileSchema = z.object({
  version: z.literal(1),
  pins: z.array(pinRecordSchema).max(MAX_RECORDS),
  secured: z.array(securedRecordSchema).max(MAX_RECORDS),
  cleartext: z.array(cleartextRecordSchema).max(MAX_RECORDS),
});
export type KeyFile = z.infer<typeof keyFileSchema>;

/** The part that every record has. */
export interface Place {
  readonly owner: Owner;
  readonly address: PinRecord['address'];
  readonly port: PinRecord['port'];
  readonly name?: string | undefined;
}

export function isSameOwner(a: Owner, b: Owner): boolean {
  return a.kind === 'user' ? b.kind === 'user' && a.uid === b.uid : b.kind === 'machine';
}

/** Whether a record counts for the connections of `owner`: its own and the machine's do. */
export function concernsOwner(record: { readonly owner: Owner }, owner: Owner): boolean {
  return record.owner.kind === 'machine' || isSameOwner(record.owner, owner);
}

/** Whether a record is about this server: same address and port, or same name and port. */
export function isAtServer(
  record: Pick<Place, 'address' | 'port' | 'name'>,
  server: Endpoint,
  name: string | undefined,
): boolean {
  if (record.port !== server.port) return false;
  return record.address === server.address || isSameName(record.name, name);
}

/** Names compare without regard to case or a final dot; an absent name is the same as none. */
export function isSameName(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && plainName(a) === plainName(b);
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
