// What the key store needs of the users' agents, so that trust knows nothing of sockets.
import type { AgentParams, AgentResult, VaultKind } from '../../shared/agent-messages.js';
import type { UserId } from '../../shared/user-id.js';

/** A user's agent with a keychain. The methods reject with a Fault and have no time-out of their own. */
export interface KeychainAgent {
  /** An earlier request is not answered yet; a new one would be refused. */
  readonly busy: boolean;
  read(from: number): Promise<AgentResult<'vault.read'>>;
  write(change: AgentParams<'vault.write'>): Promise<void>;
}

export interface KeychainAgents {
  /** The agent whose keychain counts for this user now. */
  ready(uid: UserId): KeychainAgent | undefined;
  /** What the user's newest agent says of its keychain; undefined without an agent. */
  vaultOf(uid: UserId): VaultKind | undefined;
  /** Calls back when an agent of this user registered, changed or left; returns the function that ends it. */
  subscribe(listener: (uid: UserId) => void): () => void;
}
