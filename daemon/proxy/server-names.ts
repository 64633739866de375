// What a server is called, put together from all that knows a name for its address.
import { parseIpAddress, type Endpoint } from '../../shared/endpoint.js';
import { ALSO_NAMED_MAX, isBoundByDns, type Connection } from '../../shared/trust.js';
import { noNames, type AddressNames } from '../names/address-names.js';
import type { HostNames } from './host-names.js';

export type Naming = Pick<Connection, 'name' | 'nameFrom' | 'alsoNamed' | 'namesIncomplete'>;

/**
 * Of two names, the client's own word beats everything but the configuration (daemon/ftp/control.ts), the configuration beats what was
 * looked up, and of that the latest counts. What loses can still speak against a key.
 */
export class ServerNames {
  readonly #configured: HostNames;
  readonly #heard: AddressNames | undefined;

  constructor(configured: HostNames, heard: AddressNames | undefined) {
    this.#configured = configured;
    this.#heard = heard;
  }

  /** Waits a bounded moment for names that may just be on their way. */
  async of(connection: Connection): Promise<Naming> {
    const { server } = connection;
    if (connection.name !== undefined) return { name: connection.name, nameFrom: connection.nameFrom };
    const configured = await this.#configured.nameOf(server);
    if (configured === undefined) await this.#heard?.heard(server.address);
    // What this machine looks up is not what a device behind it does.
    const latest = connection.forwarded === true ? undefined : this.#namesOf(server).current[0];
    if (configured !== undefined)
      return this.refreshed({ name: configured, nameFrom: 'configuration' }, server);
    return this.refreshed(latest === undefined ? {} : { name: latest, nameFrom: 'resolver' }, server);
  }

  /** The same name with what else is known of the address by now: a program's look-up may have been reported after its connection. */
  refreshed({ name, nameFrom }: Naming, server: Endpoint): Naming {
    const said = { ...(name === undefined ? {} : { name }), ...(nameFrom === undefined ? {} : { nameFrom }) };
    if (name !== undefined && !isBoundByDns(nameFrom)) return said;
    const { current, former, incomplete } = this.#namesOf(server);
    const others = [...current, ...former].filter((other) => other !== name);
    return {
      ...said,
      ...(others.length === 0 ? {} : { alsoNamed: others.slice(0, ALSO_NAMED_MAX) }),
      ...(incomplete || others.length > ALSO_NAMED_MAX ? { namesIncomplete: true } : {}),
    };
  }

  #namesOf({ address }: Endpoint) {
    const parsed = parseIpAddress(address);
    return (parsed === undefined ? undefined : this.#heard?.namesOf(parsed)) ?? noNames;
  }
}
