// Whose FTP a gateway secures (divert.forwarded): what the configuration says about one device. Pure.
import { z } from 'zod';
import { ipAddressSchema, type IpAddress } from '../shared/endpoint.js';
import { isInNet } from './host-match.js';

export const clientModes = ['secure', 'leave', 'refuse'] as const;

/** An address block, in canonical text. */
export const netSchema = z
  .object({ address: ipAddressSchema, prefix: z.number().int().min(0).max(128) })
  .readonly();
export type Net = z.infer<typeof netSchema>;

/** One [[client]]: what becomes of the forwarded FTP of these addresses. */
export const clientRuleSchema = z
  .object({
    match: netSchema,
    mode: z.enum(clientModes),
    fallback: z.object({ cleartext: z.enum(['allow', 'warn', 'ask', 'refuse']).optional() }).readonly(),
  })
  .readonly();
export type ClientRule = z.infer<typeof clientRuleSchema>;

/** What the rules of a gateway are made of. */
export interface GatewayConfig {
  readonly divert: { readonly forwardedFrom: readonly Net[] };
  readonly clients: readonly ClientRule[];
}

/** Every [[client]] in the order of the file, then `divert.forwarded_from`: the first that holds an address counts. */
export function clientRules({ divert, clients }: GatewayConfig): readonly ClientRule[] {
  return [
    ...clients,
    ...divert.forwardedFrom.map((match): ClientRule => ({ match, mode: 'secure', fallback: {} })),
  ];
}

/** The rule for one device; undefined if its FTP is none of our business. */
export function clientRuleFor(config: GatewayConfig, client: IpAddress): ClientRule | undefined {
  return clientRules(config).find(({ match }) => isInNet(client, match));
}
