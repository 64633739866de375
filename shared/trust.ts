// The words in which the core, the proxy and the people who answer talk about trust.
import { z } from 'zod';
import { endpointSchema } from './endpoint.js';
import { userIdSchema } from './user-id-schema.js';

const text = (max: number) => z.string().max(max);

/** The certificate as a person and the verdict need it; every string comes from the server and is untrusted. */
export const certificateSummarySchema = z
  .object({
    subject: text(1024),
    issuer: text(1024),
    names: z.array(text(256)).max(64).readonly(),
    validFrom: text(64),
    validTo: text(64),
    keyType: text(64),
    /** The certificate itself, base64 of DER. */
    der: text(65536),
  })
  .readonly();
export type CertificateSummary = z.infer<typeof certificateSummarySchema>;

/** A mechanism as people see it: X-SafeTP1 is never without the word that says what it is. */
export function mechanismLabel(mechanism: string): string {
  return mechanism === 'X-SafeTP1' ? `${mechanism} (legacy)` : mechanism;
}

/** What a mechanism learned about the server while it secured the control connection. */
export const serverIdentitySchema = z
  .object({
    mechanism: text(32),
    fingerprint: text(64),
    /** The name for which a certificate authority of this machine vouches, else undefined. */
    caValidFor: text(256).optional(),
    /** The certificate's chain leads to an authority of this machine, whatever names it is made out to. */
    chainValid: z.literal(true).optional(),
    protocol: text(32),
    cipher: text(128),
    certificate: certificateSummarySchema.optional(),
    /** What the server calls itself, signed by its own key (X-SafeTP1). */
    brand: text(256).optional(),
  })
  .readonly();
export type ServerIdentity = z.infer<typeof serverIdentitySchema>;

/** A question of trust, as the core asks it. */
export const questionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('key'), identity: serverIdentitySchema }).readonly(),
  z
    .object({
      kind: z.literal('cleartext'),
      /** Anonymous logins carry no password worth a warning. */
      anonymous: z.boolean(),
      /** What the server did with each AUTH, e.g. `AUTH TLS: 502`. For the log and the details of a question. */
      reason: text(512),
    })
    .readonly(),
]);
export type Question = z.infer<typeof questionSchema>;

/** A key that was trusted before, as far as it helps a person who compares. */
export const earlierKeySchema = z
  .object({
    fingerprint: text(64),
    firstSeen: z.number().int().min(0),
    lastUsed: z.number().int().min(0).optional(),
    /** How many sessions used it. */
    count: z.number().int().min(0),
    /** The name for which a certificate authority vouched. */
    caValidFor: text(256).optional(),
  })
  .readonly();
export type EarlierKey = z.infer<typeof earlierKeySchema>;

const earlierKeys = z.array(earlierKeySchema).max(8).readonly();

/** Why a person is asked. `changed` and `downgraded` may be an attack: they are answered by typing the server's name. */
export const concernSchema = z.discriminatedUnion('kind', [
  /** `revoked`: the server had keys that were revoked, so it is no first contact. */
  z.object({ kind: z.literal('new'), revoked: earlierKeys }).readonly(),
  /** The key is trusted already, for another server. */
  z.object({ kind: z.literal('replicated'), of: text(256) }).readonly(),
  /** New, and a certificate authority vouches for it. */
  z.object({ kind: z.literal('vouched'), name: text(256) }).readonly(),
  /** Another key than before, and a certificate authority vouches for both. */
  z.object({ kind: z.literal('renewed'), name: text(256), earlier: earlierKeys }).readonly(),
  z.object({ kind: z.literal('changed'), earlier: earlierKeys }).readonly(),
  z.object({ kind: z.literal('cleartext') }).readonly(),
  /** Was encrypted, offers no encryption now. */
  z.object({ kind: z.literal('downgraded'), earlier: earlierKeys }).readonly(),
]);
export type Concern = z.infer<typeof concernSchema>;

/** Whether the answer yes needs the server's name, typed by the person. */
export function needsTypedName(concern: Concern): boolean {
  return concern.kind === 'changed' || concern.kind === 'downgraded';
}

/** The answer that the core acts on. A refusal carries the sentence for the client program. */
export const decisionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('allow'), warning: text(512).optional() }).readonly(),
  z.object({ kind: z.literal('refuse'), sentence: text(512) }).readonly(),
]);
export type Decision = z.infer<typeof decisionSchema>;

/**
 * How a server's name is known. `client`: the program said it (HOST, or the explicit proxy's USER). `configuration`: a [[host]] name
 * that resolves to the server's address. `resolver`: a program of this machine looked it up and got that address.
 */
export const nameSources = ['client', 'configuration', 'resolver'] as const;
export type NameSource = (typeof nameSources)[number];

/** The name leads to the address because an answer of the DNS says so, and such an answer can be forged. */
export function isBoundByDns(source: NameSource | undefined): boolean {
  return source === 'configuration' || source === 'resolver';
}

/** Other names of one address that are kept. */
export const ALSO_NAMED_MAX = 8;

/** Who opened the intercepted connection and where it was going. */
export const connectionSchema = z
  .object({
    server: endpointSchema,
    /** The server's name, if it is known, and never taken from the connection's own peer without proof. */
    name: text(256).optional(),
    /** Absent without a name; a name without it is the program's own word. */
    nameFrom: z.enum(nameSources).optional(),
    /** More names for which this machine lately got the server's address. They can only speak against a key. */
    alsoNamed: text(256).array().max(ALSO_NAMED_MAX).readonly().optional(),
    /** There were more names than are kept: an authority's word for one that was looked up is not enough then. */
    namesIncomplete: z.literal(true).optional(),
    client: endpointSchema,
    /** The user id that owns the client's socket; undefined where it can't be known. */
    uid: userIdSchema.optional(),
    /** A device's, that this machine routes for (divert.forwarded): the machine's records count, and nobody sits there to be asked. */
    forwarded: z.literal(true).optional(),
  })
  .readonly();
export type Connection = z.infer<typeof connectionSchema>;
