// What is compared: the ways to protect one and the same server, with one and the same client.
import type { Proxy } from '../ftp/contender.js';
import type { Entrant } from '../work.js';
import type { Order } from './order.js';

export const safetpNames = ['X-SafeTP1', 'PROT S', 'TLS', 'plain'] as const;
export type SafetpName = (typeof safetpNames)[number];

/** How the client protects itself. */
export interface SafetpContender extends Entrant {
  readonly name: SafetpName;
  readonly mechanism: Order['mechanism'];
  readonly level: Order['level'];
  /** The server's side: proxy and FTP server. */
  roots(): readonly number[];
}

const ways: Readonly<Record<SafetpName, Pick<Order, 'mechanism' | 'level'>>> = {
  'X-SafeTP1': { mechanism: 'X-SafeTP1', level: 'P' },
  'PROT S': { mechanism: 'X-SafeTP1', level: 'S' },
  TLS: { mechanism: 'TLS', level: 'P' },
  plain: { mechanism: 'none', level: 'C' },
};

export function contenderOf(name: SafetpName, proxy: Proxy, serverPids: readonly number[]): SafetpContender {
  return { name, ...ways[name], roots: () => [proxy.pid(), ...serverPids], log: () => proxy.log() };
}
