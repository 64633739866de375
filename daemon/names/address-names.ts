// The contract of a place that knows which names this machine was given an address for. Each origin (systemd-resolved's monitor, the DNS
// cache of Windows) is a file of its own beside this one.
import type { IpAddress } from '../../shared/endpoint.js';

/** Names of one address, the one that was heard last first; lower case, without a final dot. */
export interface HeardNames {
  /** Still good, by the DNS's own word. */
  readonly current: readonly string[];
  /** Good a while ago. Programs keep addresses longer than they should. */
  readonly former: readonly string[];
  /** Some names had to be forgotten, of this address or perhaps of it. */
  readonly incomplete: boolean;
}

export const noNames: HeardNames = { current: [], former: [], incomplete: false };

export interface AddressNames {
  /** At once; nothing is looked up for it. */
  namesOf(address: IpAddress): HeardNames;
  /** Resolves as soon as a name of the address is known, at the latest after the time that a message needs to get here. Never rejects. */
  heard(address: IpAddress): Promise<void>;
}

/** What has to be ended, once. */
export interface NameSource extends AddressNames {
  close(): void;
}
