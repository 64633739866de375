// A user's keychain as the daemon uses it through the agent: records, page by page. One implementation an operating
// system's keychain, all of them behind this.
import type { AgentParams, AgentResult } from '../../shared/agent-messages.js';
import type { VaultState } from '../agent-state.js';

export type VaultPage = AgentResult<'vault.read'>;
export type VaultChange = AgentParams<'vault.write'>;

/** How a keychain is now; `off` is nothing that a keychain says of itself. */
export type KeychainState = Exclude<VaultState, { readonly kind: 'off' }>;

/** See agentMethods for `read` and `write`; both reject with a Fault of code `store` within a bounded time. */
export interface Vault {
  readonly state: KeychainState;
  /** Calls the listener after each change of the state; returns how to stop that. */
  subscribe(listener: (state: KeychainState) => void): () => void;
  read(from: number): Promise<VaultPage>;
  write(change: VaultChange): Promise<void>;
  close(): void;
}
