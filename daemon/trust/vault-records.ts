// A user's keychain as a set of records, read and written through the user's agent. What comes back from an agent is
// somebody else's word: bounded, checked one by one, and only its own user's records count.
import {
  MAX_VAULT_PAGE,
  MAX_VAULT_RECORDS,
  vaultRecordSchema,
  type AgentResult,
  type VaultRecord,
} from '../../shared/agent-messages.js';
import { Fault } from '../../shared/fault.js';
import type { KeychainAgent } from './keychain-agent.js';
import { isSameOwner, type Owner, type PinRecord, type Place } from './pin-record.js';
import { merged, noRecords, pinKey, recordKey } from './records.js';
import { sentences } from './keychain-sentences.js';
import { steadyNow } from '../sys/steady-clock.js';
import type { StoreContents } from './store.js';

/** Keychains write all they have for each record: a batch has to fit well into the time that one request has. */
const batchSize = 10;

export interface ReadVault {
  readonly records: StoreContents;
  /** Records of another owner, and entries that are no record: left out. */
  readonly foreign: number;
  readonly unreadable: number;
}

/** Reads all of it; each page has `limitMs`, all together a few of them. Rejects with a Fault of code `store`. */
export async function readVault(agent: KeychainAgent, owner: Owner, limitMs: number): Promise<ReadVault> {
  const entries: unknown[] = [];
  const deadline = steadyNow() + 4 * limitMs;
  let from = 0;
  for (;;) {
    const left = Math.min(limitMs, Math.max(1, deadline - steadyNow()));
    const page: AgentResult<'vault.read'> = await within(left, agent.read(from));
    entries.push(...page.records);
    if (page.next === undefined) break;
    const goesOn = page.next > from && page.records.length > 0 && entries.length <= MAX_VAULT_RECORDS;
    if (!goesOn) throw new Fault('store', sentences.nonsense);
    from = page.next;
  }
  return checked(entries, owner);
}

function checked(entries: readonly unknown[], owner: Owner): ReadVault {
  const found = entries.map((entry) => vaultRecordSchema.safeParse(entry)).flatMap((one) => one.data ?? []);
  const own = found.filter(({ record }) => isSameOwner(record.owner, owner));
  const pins = own.flatMap((one) => (one.kind === 'pin' ? [one.record] : []));
  const cleartext = own.flatMap((one) => (one.kind === 'cleartext' ? [one.record] : []));
  return {
    records: merged(noRecords, { pins, secured: [], cleartext }).records,
    foreign: found.length - own.length,
    unreadable: entries.length - found.length,
  };
}

/** Makes the keychain, which holds `before`, hold `after`. Rejects with a Fault of code `store`; then it may hold either. */
export async function writeVault(
  agent: KeychainAgent,
  before: StoreContents,
  after: StoreContents,
  limitMs: number,
): Promise<void> {
  if (after.pins.length + after.cleartext.length > MAX_VAULT_RECORDS) {
    throw new Fault(
      'store',
      `A keychain keeps at most ${MAX_VAULT_RECORDS} keys; remove some that are not needed.`,
    );
  }
  const put = missingIn(before, after, (a, b) => a === b);
  const remove = missingIn(after, before, () => true);
  for (let start = 0; start < Math.max(put.length, remove.length); start += batchSize) {
    const batch = {
      put: put.slice(start, start + batchSize),
      remove: remove.slice(start, start + batchSize),
    };
    await within(limitMs, agent.write(batch));
  }
}

/** Puts these records there again, e.g. with new counts. */
export async function rewriteInVault(
  agent: KeychainAgent,
  pins: readonly PinRecord[],
  limitMs: number,
): Promise<void> {
  const put = pins.slice(0, MAX_VAULT_PAGE).map((record): VaultRecord => ({ kind: 'pin', record }));
  await within(limitMs, agent.write({ put, remove: [] }));
}

/** Whether `found` has everything that is in `wanted`, unchanged in what decides. */
export function holdsAll(found: StoreContents, wanted: StoreContents): boolean {
  const isSame = (a: Place, b: Place) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
  return missingIn(found, wanted, isSame).length === 0;
}

function sorted(record: object): [string, unknown][] {
  return Object.entries(record)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The records of `all` that `there` does not have, or has in another form. */
function missingIn(
  there: StoreContents,
  all: StoreContents,
  isSame: (a: Place, b: Place) => boolean,
): VaultRecord[] {
  const pins = new Map(there.pins.map((pin) => [pinKey(pin), pin]));
  const cleartext = new Map(there.cleartext.map((record) => [recordKey(record), record]));
  const lacks = (found: Place | undefined, wanted: Place) => found === undefined || !isSame(found, wanted);
  return [
    ...all.pins
      .filter((pin) => lacks(pins.get(pinKey(pin)), pin))
      .map((record): VaultRecord => ({ kind: 'pin', record })),
    ...all.cleartext
      .filter((record) => lacks(cleartext.get(recordKey(record)), record))
      .map((record): VaultRecord => ({ kind: 'cleartext', record })),
  ];
}

/** The promise's outcome, or a Fault after `ms`. The promise itself goes on. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Fault('store', sentences.slow));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
