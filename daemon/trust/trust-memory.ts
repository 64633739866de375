// What a decision leaves behind in the store: which keys are good from now on, which are not any more, that a server was
// secure, that cleartext is allowed. Decides nothing about a connection.
import { Fault } from '../../shared/fault.js';
import type { KeyFingerprint } from '../../shared/fingerprint.js';
import type { Connection, ServerIdentity } from '../../shared/trust.js';
import { fingerprintOf, ownerOf, placeOf } from './connection-place.js';
import { concernsOwner, isAtServer, isSameOwner, type Owner, type PinRecord } from './pin-record.js';
import type { OpenQuestion } from './prompt-broker.js';
import type { Knowledge, KnowledgeQuery, TrustStore } from './store.js';
import { fixedInstead, type Verdict } from './verdict.js';
import { vouchedAmong, vouchedHere } from './vouched-names.js';

const commentOf: Readonly<Partial<Record<Verdict['kind'], string>>> = {
  renewed: 'renewed, vouched for by a certificate authority',
  replicated: 'known from another address',
  caValid: 'vouched for by a certificate authority',
  known: 'known by the server’s name',
  new: 'accepted at first contact',
};

/** Promises reject with a Fault of code `store`, or of code `key` for an identity without a valid fingerprint. */
export class TrustMemory {
  readonly #store: TrustStore;
  readonly #now: () => number;

  constructor(store: TrustStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** As `know(…).wasSecure`, but at once: true also when it can't be known now, which is the safe side. */
  wasSecure(connection: Connection): boolean {
    return this.#store.wasSecure(query(connection, undefined));
  }

  /** What is known of the connection's server, and of this key wherever it was met. */
  know(connection: Connection, fingerprint: KeyFingerprint | undefined): Promise<Knowledge> {
    return this.#store.know(query(connection, fingerprint));
  }

  async rememberSecured(connection: Connection): Promise<void> {
    await this.#store.rememberSecured({ ...placeOf(connection), lastSecured: this.#now() });
  }

  /** Counts one more use of a key that is known here. */
  touch(pin: PinRecord): void {
    this.#store.touch(pin, this.#now());
  }

  /** Pins a key that the rules accepted; a renewed key takes the old one's place. */
  async keepAccepted(connection: Connection, identity: ServerIdentity, why: Verdict['kind']): Promise<void> {
    await this.#store.putPin(this.#newPin(connection, identity, commentOf[why] ?? ''));
    await this.#retireRenewed(connection, identity);
  }

  /**
   * Makes a person's "always" last. Rejects with a Fault, and trusts nothing, where the key was revoked meanwhile or where the
   * server's security is not this person's to give up.
   */
  async keepAnswer(open: OpenQuestion): Promise<void> {
    const { connection, question, concern } = open;
    await this.#requireNotFixed(open);
    if (question.kind === 'cleartext') {
      if (concern.kind === 'downgraded') await this.#forgetSecurity(connection);
      await this.#store.allowCleartext({ ...placeOf(connection), since: this.#now() });
      return;
    }
    const { identity } = question;
    const { pins } = await this.know(connection, fingerprintOf(identity));
    if (pins.some((pin) => pin.revoked && pin.fingerprint === identity.fingerprint)) {
      throw new Fault('key', 'This key was revoked meanwhile. Nothing was trusted.');
    }
    // The sessions that wait count themselves when they are let through.
    await this.#store.putPin({ ...this.#newPin(connection, identity, 'trusted by a person'), count: 0 });
    if (concern.kind === 'changed') await this.#retire(connection, identity, () => true);
    else await this.#retireRenewed(connection, identity);
  }

  /** The administrator may have spoken since the question was asked. */
  async #requireNotFixed({ connection, question }: OpenQuestion): Promise<void> {
    if (question.kind === 'cleartext') {
      if (!(await this.know(connection, undefined)).fixed) return;
    } else {
      const fingerprint = fingerprintOf(question.identity);
      const { pins } = await this.know(connection, fingerprint);
      const vouchedFor = vouchedHere(question.identity, connection, pins);
      if (fixedInstead({ ...connection, name: connection.name, pins, fingerprint, vouchedFor }).length === 0)
        return;
    }
    throw new Fault(
      'not-permitted',
      'The administrator has fixed the key of this server meanwhile (keys.d). Nothing was trusted.',
    );
  }

  #newPin(connection: Connection, identity: ServerIdentity, comment: string): PinRecord {
    const at = this.#now();
    return {
      ...placeOf(connection),
      fingerprint: fingerprintOf(identity),
      mechanism: identity.mechanism,
      ...(identity.caValidFor === undefined ? {} : { caValidFor: identity.caValidFor }),
      firstSeen: at,
      lastUsed: at,
      count: 1,
      revoked: false,
      comment,
    };
  }

  /** Only the keys of which an authority said what it says of the renewed one (rule 3) give way to it. */
  #retireRenewed(connection: Connection, identity: ServerIdentity): Promise<void> {
    return this.#retire(
      connection,
      identity,
      ({ caValidFor }) => caValidFor !== undefined && vouchedAmong(identity, [caValidFor]).length > 0,
    );
  }

  /** The owner's own old keys must not be good for this server any more. Revoked ones stay, as do those of others. */
  async #retire(
    connection: Connection,
    identity: ServerIdentity,
    givesWay: (pin: PinRecord) => boolean,
  ): Promise<void> {
    const fingerprint = fingerprintOf(identity);
    const { pins } = await this.know(connection, fingerprint);
    const old = pins.filter(
      (pin) =>
        !pin.revoked &&
        pin.fingerprint !== fingerprint &&
        isSameOwner(pin.owner, ownerOf(connection)) &&
        isAtServer(pin, connection.server, connection.name) &&
        givesWay(pin),
    );
    if (old.length > 0) await this.#store.removePins(old);
  }

  /**
   * Forgets for the connection's owner that the server was secure. Throws a Fault where that is not theirs to forget, or
   * where a revoked key would become good again.
   */
  async #forgetSecurity(connection: Connection): Promise<void> {
    const owner = ownerOf(connection);
    const { server, name } = connection;
    const isOthers = (record: { readonly owner: Owner }) => !isSameOwner(record.owner, owner);
    // One's own may be in a keychain, which must be open for this; what others have seen is at hand.
    const own = await this.#store.contents(owner);
    const contents = await this.#store.contents();
    const counting = [...own.pins, ...contents.pins.filter(isOthers)];
    const pins = counting.filter((pin) => concernsOwner(pin, owner) && isAtServer(pin, server, name));
    const secured = contents.secured.filter(
      (one) => one.claimed !== true && isAtServer(one, server, name) && isOthers(one),
    );
    const counted = secured.filter((one) => concernsOwner(one, owner) || one.address === server.address);
    if (pins.some(isOthers) || counted.length > 0) {
      throw new Fault(
        'not-permitted',
        'Others on this machine use this server encrypted, so this is not yours to allow. Ask the administrator.',
      );
    }
    if (pins.some((pin) => pin.revoked)) {
      throw new Fault('key', 'A key of this server was revoked. Remove that key first if it was a mistake.');
    }
    await this.#store.removePins(pins);
    await this.#store.forgetPlace(placeOf(connection));
  }
}

function query(connection: Connection, fingerprint: KeyFingerprint | undefined): KnowledgeQuery {
  const { server, name, nameFrom, alsoNamed } = connection;
  return { owner: ownerOf(connection), server, name, nameFrom, alsoNamed, fingerprint };
}
