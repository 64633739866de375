// The words in which the core, the proxy and the people who answer talk about trust.
import { z } from 'zod';
import { endpointSchema } from './endpoint.js';

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

/** What a mechanism learned about the server while it secured the control connection. */
export const serverIdentitySchema = z
  .object({
    mechanism: text(32),
    fingerprint: text(64),
    /** The name for which a certificate authority of this machine vouches, else undefined. */
    caValidFor: text(256).optional(),
    protocol: text(32),
    cipher: text(128),
    certificate: certificateSummarySchema.optional(),
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

/** The answer that the core acts on. A refusal carries the sentence for the client program. */
export const decisionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('allow'), warning: text(512).optional() }).readonly(),
  z.object({ kind: z.literal('refuse'), sentence: text(512) }).readonly(),
]);
export type Decision = z.infer<typeof decisionSchema>;

/** Who opened the intercepted connection and where it was going. */
export const connectionSchema = z
  .object({
    server: endpointSchema,
    /** The server's name, if it is known, and never taken from the connection's own peer without proof. */
    name: text(256).optional(),
    client: endpointSchema,
    /** The user id that owns the client's socket; undefined where it can't be known. */
    uid: z.number().int().min(0).optional(),
  })
  .readonly();
export type Connection = z.infer<typeof connectionSchema>;
