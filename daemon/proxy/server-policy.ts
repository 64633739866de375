// The policy that counts for a connection, given what its name is worth: rules are found by name, and names can be said or forged.
import type { HostPolicy } from '../../shared/policy.js';
import { isBoundByDns, type Connection } from '../../shared/trust.js';
import { policyOf, type Config } from '../config.js';
import type { LogFields } from '../sys/log.js';
import { loosens, stricter } from './policy-order.js';
import type { Naming, ServerNames } from './server-names.js';

export interface ServerPolicyOptions {
  readonly config: Config;
  readonly names: ServerNames;
  /** `explicit`: the program names its server, and this process looks the name up itself. */
  readonly mode: 'redirect' | 'explicit';
  readonly warn: (message: string, fields: LogFields) => void;
}

export class ServerPolicy {
  readonly #options: ServerPolicyOptions;

  constructor(options: ServerPolicyOptions) {
    this.#options = options;
  }

  /** What a program says with HOST can make the policy of a server stricter, and no laxer. */
  async of(connection: Connection): Promise<HostPolicy> {
    const { config, names, mode } = this.#options;
    const named = policyOf(config, connection);
    if (connection.nameFrom !== 'client' || mode === 'explicit') return named;
    const unsaid = { ...connection, name: undefined, nameFrom: undefined };
    return stricter(named, policyOf(config, { ...unsaid, ...(await names.of(unsaid)) }));
  }

  /**
   * The naming with which a session begins. None if a rule without encryption is found by a name that only the DNS ties to an address
   * that was encrypted before: whoever forges that answer must not take the encryption away.
   */
  begunWith(naming: Naming, connection: Connection, knownSecure: boolean): Naming {
    const { config, warn } = this.#options;
    const named = { ...connection, ...naming };
    if (!knownSecure || !isBoundByDns(named.nameFrom)) return naming;
    if (!loosens(policyOf(config, named), policyOf(config, { ...named, name: undefined }))) return naming;
    const what = 'a [[host]] without encryption is not applied: this address was encrypted before';
    const fields = { server: named.server.address, name: named.name ?? '' };
    warn(`${what}; if it is to be, give its address as match`, fields);
    return {};
  }
}
