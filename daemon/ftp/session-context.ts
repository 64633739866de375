// What a session is told at its start, and what it tells about itself.
import type { Endpoint } from '../../shared/endpoint.js';
import type { HostPolicy } from '../../shared/policy.js';
import type { NameSource, ServerIdentity } from '../../shared/trust.js';
import type { ProtectionState } from './protection.js';
import type { Phase } from './state.js';

/** What a session is told at its start; nothing of it changes. */
export interface SessionContext {
  readonly policy: HostPolicy;
  /** Where the client wanted to go. */
  readonly server: Endpoint;
  /** The client's end of the control connection. */
  readonly client: Endpoint;
  /** Where the name of the policy comes from. */
  readonly nameFrom?: NameSource | undefined;
  /** The server is known to have been secure: it is never spoken to in clear. */
  readonly knownSecure: boolean;
  /** `swallow`: the client has had a greeting already (explicit proxy); an error greeting reaches it all the same. */
  readonly greeting: 'forward' | 'swallow';
  /** Data connections without protection may go past the proxy; not possible for the explicit proxy. */
  readonly dataPath: 'direct' | 'proxied';
  /** EPSV is known not to work with this server. */
  readonly noEpsv: boolean;
  /** A passive port of this server was reached before. */
  readonly passiveProven: boolean;
}

/** What people see of a session. */
export interface SessionView {
  readonly phase: Phase;
  readonly data: ProtectionState;
  readonly identity: ServerIdentity | undefined;
  readonly warning: string | undefined;
  readonly transfers: number;
  /** Transfers that were reported as failed because their data did not come through whole. */
  readonly cut: number;
  /** The name that the session began with, or that of HOST. */
  readonly name: string | undefined;
  readonly nameFrom: NameSource | undefined;
}
