// A connection in the terms of the records: whose it is, which server, and which key.
import { Fault } from '../../shared/fault.js';
import { parseFingerprint, type KeyFingerprint } from '../../shared/fingerprint.js';
import type { Connection, ServerIdentity } from '../../shared/trust.js';
import type { Owner, Place } from './pin-record.js';

/** Whose records count for a connection: its user's, or the machine's where the user is not known. */
export function ownerOf(connection: Connection): Owner {
  return connection.uid === undefined ? { kind: 'machine' } : { kind: 'user', uid: connection.uid };
}

/** The place of a connection's server, as records name it. */
export function placeOf(connection: Connection): Place {
  const { server, name } = connection;
  return {
    owner: ownerOf(connection),
    address: server.address,
    port: server.port,
    ...(name === undefined ? {} : { name }),
  };
}

/** The key of what a server showed. Throws a Fault of code `key` where that names none. */
export function fingerprintOf(identity: ServerIdentity): KeyFingerprint {
  const fingerprint = parseFingerprint(identity.fingerprint);
  if (fingerprint === undefined) throw new Fault('key', 'The server’s key has no valid fingerprint.');
  return fingerprint;
}
