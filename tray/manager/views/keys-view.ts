// The page "Servers and keys": what is remembered, a card for each server.
import { formatEndpoint } from '../../../shared/endpoint.js';
import type { ListedKey, StoreView } from '../../../shared/ipc-messages.js';
import { mechanismLabel } from '../../../shared/trust.js';
import { NO_ADDRESS, type PinRecord, type Place } from '../../../daemon/trust/pin-record.js';
import type { AgentState } from '../../agent-state.js';
import { displayText } from '../display-text.js';
import type { Fact, KeyRow, KeysView, ServerCard, Tone } from '../wire.js';
import { bannersOf, count, dayText, keyPicture } from './words.js';

export function keysView(store: StoreView, state: AgentState): KeysView {
  const places = new Map<string, Place>();
  for (const place of [...store.keys, ...store.cleartext, ...store.secured]) {
    const known = places.get(placeId(place));
    if (known?.name === undefined) places.set(placeId(place), place);
  }
  const cards = [...places].map(([id, place]) => card(id, place, store));
  const servers = cards.sort((a, b) => sortKey(a).localeCompare(sortKey(b)));
  return { kind: 'keys', banners: bannersOf(state), servers };
}

/** One server: all records of one owner at one address and port. What the administrator gives is a server of its own. */
export function placeId(place: Place): string {
  const { owner, address, port, name } = place;
  if ('file' in place) return `administrator ${formatEndpoint({ address, port })} ${name ?? ''}`;
  return `${owner.kind === 'user' ? owner.uid : 'machine'} ${formatEndpoint({ address, port })}`;
}

function sortKey({ title, address }: ServerCard): string {
  return `${title.toLowerCase()} ${address}`;
}

function card(id: string, place: Place, store: StoreView): ServerCard {
  const pins = store.keys.filter((pin) => placeId(pin) === id).sort((a, b) => lastMet(b) - lastMet(a));
  const cleartext = store.cleartext.find((record) => placeId(record) === id);
  const label = displayText(pins.find((pin) => pin.label !== undefined)?.label ?? '', 64);
  const name = pins.find((pin) => pin.name !== undefined)?.name ?? place.name;
  const title = label !== '' ? label : displayText(name ?? place.address, 120);
  const note = noteOf(pins, cleartext?.since);
  const fixed = pins.some(({ file }) => file !== undefined);
  const keys = pins.map(keyRow);
  const parts = [
    title,
    name ?? '',
    place.address,
    String(place.port),
    ...pins.map((pin) => `${pin.fingerprint} ${pin.comment}`),
  ];
  return {
    id,
    title,
    label,
    fixed,
    address:
      place.address === NO_ADDRESS
        ? 'wherever its name leads'
        : name !== undefined && label !== ''
          ? `${displayText(name, 120)}, ${place.address}`
          : place.address,
    port: place.port,
    ...note,
    keys,
    haystack: displayText(parts.join(' ').toLowerCase(), 2000),
  };
}

function noteOf(
  pins: readonly PinRecord[],
  cleartextSince: number | undefined,
): { readonly note: string; readonly tone: Tone } {
  if (cleartextSince !== undefined) {
    return { note: `Not encrypted; you allowed it on ${dayText(cleartextSince)}`, tone: 'warn' };
  }
  const good = pins.filter((pin) => !pin.revoked).length;
  if (pins.length === 0) return { note: 'Was encrypted before; no key is kept', tone: 'calm' };
  if (good === 0) return { note: 'Every key of it is revoked', tone: 'bad' };
  return {
    note: good === 1 ? 'Encrypted, key trusted' : `Encrypted, ${count(good, 'key')} trusted`,
    tone: 'good',
  };
}

function keyRow(pin: ListedKey): KeyRow {
  const facts: readonly Fact[] = [
    ...(pin.file === undefined
      ? []
      : [{ label: 'Set by the administrator', value: displayText(`keys.d/${pin.file}`, 200) }]),
    ...(pin.firstSeen === 0 ? [] : [{ label: 'First seen', value: dayText(pin.firstSeen) }]),
    { label: 'Last used', value: pin.lastUsed === undefined ? 'never' : dayText(pin.lastUsed) },
    { label: 'Used', value: count(pin.count, 'time') },
    ...(pin.caValidFor === undefined
      ? []
      : [{ label: 'Vouched for', value: displayText(pin.caValidFor, 120) }]),
    ...(pin.comment === '' ? [] : [{ label: 'How it got here', value: displayText(pin.comment, 200) }]),
    { label: 'Counts for', value: pin.owner.kind === 'machine' ? 'everybody on this machine' : 'you' },
  ];
  return {
    ...keyPicture(pin.fingerprint, displayText(pin.mechanism, 15)),
    mechanism: displayText(mechanismLabel(pin.mechanism), 32),
    facts,
    revoked: pin.revoked,
  };
}

function lastMet({ lastUsed, firstSeen }: PinRecord): number {
  return lastUsed ?? firstSeen;
}
