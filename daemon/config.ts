// The configuration as the program uses it: plain values that can be cloned into a worker thread, and the policy
// of one server. How the file is written is daemon/config-file.ts; reading it is daemon/config-load.ts.
import { z } from 'zod';
import { portRangeSchema, portSchema, type Endpoint } from '../shared/endpoint.js';
import type { HostPolicy } from '../shared/policy.js';
import type { Connection } from '../shared/trust.js';
import { clientRuleFor, clientRuleSchema, netSchema, type ClientRule } from './client-rule.js';
import { hostMatchSchema, isHostMatch } from './host-match.js';

/** `tun` is the packet engine of Windows over a TUN device: slower, for tests of the engine. */
export const redirectLayers = ['nftables', 'tun', 'windivert', 'pf'] as const;
export const hostModes = ['explicit', 'implicit', 'plain', 'tunnel'] as const;
export const unknownKeyPolicies = ['ask', 'accept-new', 'refuse'] as const;
export const acceptOrAsk = ['accept', 'ask'] as const;
export const cleartextPolicies = ['allow', 'warn', 'ask', 'refuse'] as const;
export const dataProtections = ['private', 'clear', 'auto'] as const;
export const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
/** `resolver`: what programs of this machine look up; `certificate`: names in a certificate that lead to the server. */
export const nameLookups = ['resolver', 'certificate'] as const;
export const mechanismNames = ['TLS', 'TLS-C', 'TLS-P', 'SSL', 'X-SafeTP1'] as const;

const millisecondsSchema = z.number().int().positive();

/** One [[host]]: what it means and what it overrides; an absent key leaves the global one. */
const hostRuleSchema = z
  .object({
    match: hostMatchSchema,
    mode: z.enum(hostModes),
    trust: z
      .object({
        unknown: z.enum(unknownKeyPolicies).optional(),
        caValid: z.enum(acceptOrAsk).optional(),
        replicate: z.enum(acceptOrAsk).optional(),
        promptTimeoutMs: millisecondsSchema.optional(),
      })
      .readonly(),
    fallback: z.object({ cleartext: z.enum(cleartextPolicies).optional() }).readonly(),
    data: z
      .object({
        protection: z.enum(dataProtections).optional(),
        allowForeignAddress: z.boolean().optional(),
      })
      .readonly(),
    tls: z
      .object({
        minVersion: z.enum(tlsVersions).optional(),
        mechanisms: z.array(z.enum(mechanismNames)).readonly().optional(),
      })
      .readonly(),
  })
  .readonly();
export type HostRule = z.infer<typeof hostRuleSchema>;

export const configSchema = z
  .object({
    divert: z
      .object({
        layer: z.enum(redirectLayers),
        ports: z.array(portSchema).readonly(),
        /** User names or uids, as written. */
        exemptUsers: z.array(z.union([z.string(), z.number().int().min(0)])).readonly(),
        /** Never `wildcard`: a wildcard can't be resolved to addresses. */
        exemptHosts: z.array(hostMatchSchema).readonly(),
        /** Virtual ports of passive data connections. */
        dataPorts: portRangeSchema,
        /** Ports that the proxy's own upstream connections come from. */
        sourcePorts: portRangeSchema,
        /** One port a server with a live session: connections from it appear to come from the server's port 20. */
        activePorts: portRangeSchema,
        /** 0 = one per core. */
        workers: z.number().int().min(0),
        /** Also what this machine routes for others is secured. */
        forwarded: z.boolean(),
        /** Whose, beside those that a [[client]] names. */
        forwardedFrom: z.array(netSchema).readonly(),
        /** Sessions at once for each of them. */
        forwardedSessions: z.number().int().min(1),
        onFailure: z.enum(['open', 'closed']),
      })
      .readonly(),
    trust: z
      .object({
        unknown: z.enum(unknownKeyPolicies),
        caValid: z.enum(acceptOrAsk),
        replicate: z.enum(acceptOrAsk),
        promptTimeoutMs: millisecondsSchema,
        store: z.enum(['keychain', 'file']),
        /** Where names of servers come from, besides the client and this file. */
        names: z.array(z.enum(nameLookups)).readonly(),
        /** A file with certificates of authorities; `authorities` is what it holds, once it was read. */
        caBundle: z.string().optional(),
        authorities: z.string().optional(),
      })
      .readonly(),
    /** What the administrator leaves to people. Root may all of it, whatever is here. */
    users: z.object({ mayPause: z.boolean(), mayTrust: z.boolean() }).readonly(),
    fallback: z.object({ cleartext: z.enum(cleartextPolicies) }).readonly(),
    data: z.object({ protection: z.enum(dataProtections), allowForeignAddress: z.boolean() }).readonly(),
    tls: z
      .object({ minVersion: z.enum(tlsVersions), mechanisms: z.array(z.enum(mechanismNames)).readonly() })
      .readonly(),
    /** In the order of the file: the first match wins. */
    hosts: z.array(hostRuleSchema).readonly(),
    /** In the order of the file: the first match wins. */
    clients: z.array(clientRuleSchema).readonly(),
  })
  .readonly();

/** The whole configuration, every key resolved. Plain data: survives structuredClone and JSON. */
export type Config = z.infer<typeof configSchema>;

/**
 * The policy for one server: the first matching [[host]] over the global tables. `name` is the name that the
 * server is known by, if any; without one no [[host]] that is a name can match. `client` is the rule of a gateway's device: it
 * counts before the global tables and after what a [[host]] says.
 */
export function policyFor(config: Config, server: Endpoint, name?: string, client?: ClientRule): HostPolicy {
  const rule = config.hosts.find((host) => isHostMatch(host.match, server, name));
  const { trust } = config;
  return {
    mode: rule?.mode ?? 'explicit',
    trust: {
      unknown: rule?.trust.unknown ?? trust.unknown,
      caValid: rule?.trust.caValid ?? trust.caValid,
      replicate: rule?.trust.replicate ?? trust.replicate,
      promptTimeoutMs: rule?.trust.promptTimeoutMs ?? trust.promptTimeoutMs,
    },
    fallback: {
      cleartext: rule?.fallback.cleartext ?? client?.fallback.cleartext ?? config.fallback.cleartext,
    },
    data: {
      protection: rule?.data.protection ?? config.data.protection,
      allowForeignAddress: rule?.data.allowForeignAddress ?? config.data.allowForeignAddress,
    },
    tls: {
      minVersion: rule?.tls.minVersion ?? config.tls.minVersion,
      mechanisms: rule?.tls.mechanisms ?? config.tls.mechanisms,
    },
    name: rule?.match.kind === 'name' ? rule.match.name : undefined,
  };
}

/** The policy for one connection; a device's own rule counts too. */
export function policyOf(config: Config, { server, name, client, forwarded }: Connection): HostPolicy {
  const rule = forwarded === true ? clientRuleFor(config, client.address) : undefined;
  return policyFor(config, server, name, rule);
}
