// `ftpseal keys …`: what is trusted, in the caller's name (root: for the machine).
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { formatEndpoint, parseIpAddress, type IpAddress } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { groupFingerprint } from '../../shared/fingerprint.js';
import type { IpcResult, ListedKey, StoreView } from '../../shared/ipc-messages.js';
import { mechanismLabel } from '../../shared/trust.js';
import type { DaemonClient } from '../ipc/client.js';
import { resolveName } from '../proxy/host-names.js';
import { writeFileAtomic } from '../sys/atomic-file.js';

import { keyFileSchema, NO_ADDRESS, type Owner, type Place } from '../trust/pin-record.js';
import { serverLabel } from '../trust/sentences.js';
import { formatAgo, formatTable, printJson, show, type Column, type JsonOption } from './output.js';
import { connectDaemon, type DirOptions } from './paths.js';
import { parseHost, parseSelector, readGivenKey, readStdin } from './selector.js';
import { userId, userName } from './user-names.js';

type Options = DirOptions & JsonOption;

async function withDaemon<T>(options: DirOptions, work: (client: DaemonClient) => Promise<T>): Promise<T> {
  const client = await connectDaemon(options);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

export async function keysList(options: Options): Promise<void> {
  const view = await withDaemon(options, (client) => client.request('keys.list', {}));
  show(view, options, () => formatKeys(view, Date.now()));
}

export async function keysShow(what: string, key: string | undefined, options: Options): Promise<void> {
  const selector = parseSelector(what, key);
  const view = await withDaemon(options, (client) => client.request('keys.find', { selector }));
  if (view.keys.length + view.secured.length + view.cleartext.length === 0) throw nothingKnown(what);
  show(
    view,
    options,
    () => view.keys.map((pin) => formatPin(pin, Date.now())).join('\n\n') || formatKeys(view, Date.now()),
  );
}

export interface AddOptions extends Options {
  readonly comment?: string;
  readonly user?: string;
  readonly revoked?: boolean;
  readonly address?: string;
}

export async function keysAdd(server: string, key: string, options: AddOptions): Promise<void> {
  const { host, port } = parseHost(server);
  const given = await readGivenKey(key);
  const addresses = await addressesOf(host, options.address);
  const owner = ownerOption(options.user);
  const { keys } = await withDaemon(options, (client) =>
    client.request('keys.add', {
      fingerprint: given.fingerprint,
      addresses: [...addresses],
      port: port ?? 21,
      ...(parseIpAddress(host) === undefined ? { name: host } : {}),
      ...(owner === undefined ? {} : { owner }),
      revoked: options.revoked === true,
      comment: options.comment ?? `added by hand from a ${given.from}`,
      mechanism: given.from === 'SafeTP public key' ? 'X-SafeTP1' : 'TLS',
    }),
  );
  const verb = options.revoked === true ? 'Revoked' : 'Trusted';
  show({ keys }, options, () =>
    keys.map((pin) => `${verb}: ${placeText(pin)} ${pin.fingerprint}`).join('\n'),
  );
}

export async function keysRemove(what: string, key: string | undefined, options: Options): Promise<void> {
  const selector = parseSelector(what, key);
  const gone = await withDaemon(options, (client) => client.request('keys.remove', { selector }));
  if (gone.keys.length + gone.forgotten === 0) throw nothingKnown(what);
  show(gone, options, () => removedText(gone, what));
}

function removedText({ keys, forgotten }: IpcResult<'keys.remove'>, what: string): string {
  const lines = keys.map((pin) => `Removed: ${placeText(pin)} ${pin.fingerprint}`);
  const also =
    forgotten > 0 ? [`Forgotten: that ${what} was encrypted before, and what was allowed there.`] : [];
  return [...lines, ...also].join('\n');
}

export async function keysRevoke(what: string, key: string | undefined, options: Options): Promise<void> {
  const selector = parseSelector(what, key);
  const { keys } = await withDaemon(options, (client) => client.request('keys.revoke', { selector }));
  if (keys.length === 0) throw nothingKnown(what);
  show({ keys }, options, () =>
    keys.map((pin) => `Revoked: ${placeText(pin)} ${pin.fingerprint}`).join('\n'),
  );
}

export async function keysExport(file: string | undefined, options: DirOptions): Promise<void> {
  const content = await withDaemon(options, (client) => client.request('keys.export', {}));
  if (file === undefined || file === '-') printJson(content, 2);
  else await writeFileAtomic(file, `${JSON.stringify(content, undefined, 2)}\n`);
}

export async function keysImport(file: string, options: Options): Promise<void> {
  const text = file === '-' ? await readStdin() : await readText(file);
  const content = keyFileSchema.safeParse(parseJson(text));
  if (!content.success) {
    throw new Fault('key', `${file} is no key file of ftpseal: ${z.prettifyError(content.error)}`);
  }
  const result = await withDaemon(options, (client) => client.request('keys.import', { file: content.data }));
  show(
    result,
    options,
    () => `${result.added} keys added or revoked, ${result.unchanged} were there already.`,
  );
}

async function addressesOf(host: string, given: string | undefined): Promise<readonly IpAddress[]> {
  const address = parseIpAddress(given ?? host);
  if (address !== undefined) return [address];
  if (given !== undefined) throw new Fault('usage', `"${given}" is no IP address.`);
  const found = [...new Set(await resolveName(host))];
  if (found.length > 0) return found;
  throw new Fault('network', `The name ${host} has no address now; give one with --address.`);
}

function ownerOption(user: string | undefined): Owner | undefined {
  if (user === undefined) return undefined;
  const uid = userId(user);
  if (uid === undefined) throw new Fault('usage', `There is no user ${user}.`);
  return { kind: 'user', uid };
}

/** The table of `keys list`; servers without a key (trusted once, or cleartext allowed) come after those with one. */
export function formatKeys(view: StoreView, now: number): string {
  const columns: readonly Column<readonly [string, string, string, string, string]>[] = [
    { title: 'SERVER', value: (row) => row[0], flexible: true },
    { title: 'KEY', value: (row) => row[1] },
    { title: 'STATE', value: (row) => row[2] },
    { title: 'USED', value: (row) => row[3] },
    { title: 'OF', value: (row) => row[4], flexible: true },
  ];
  const keyRows = view.keys.map(
    (pin) =>
      [
        placeText(pin),
        `${pin.fingerprint.slice(0, 19)}…`,
        pin.revoked ? 'REVOKED' : 'trusted',
        pin.lastUsed === undefined ? 'never' : formatAgo(pin.lastUsed, now),
        pin.file === undefined ? ownerText(pin.owner) : 'by the administrator',
      ] as const,
  );
  const bare = view.secured.filter((place) => !view.keys.some((pin) => isSameServer(pin, place)));
  const bareRows = bare.map(
    (place) =>
      [
        placeText(place),
        '-',
        'was secure',
        formatAgo(place.lastSecured, now),
        ownerText(place.owner),
      ] as const,
  );
  const clearRows = view.cleartext.map(
    (place) =>
      [placeText(place), '-', 'CLEARTEXT', formatAgo(place.since, now), ownerText(place.owner)] as const,
  );
  const rows = [...keyRows, ...bareRows, ...clearRows];
  return rows.length === 0 ? 'No keys.' : formatTable(columns, rows);
}

export function formatPin(pin: ListedKey, now: number): string {
  const used = pin.lastUsed === undefined ? 'never' : `${formatAgo(pin.lastUsed, now)}, ${pin.count} times`;
  const rows: readonly (readonly [string, string])[] = [
    ['Server', serverText(pin)],
    ['Key', groupFingerprint(pin.fingerprint)],
    ['', pin.fingerprint],
    ['State', pin.revoked ? 'REVOKED: refused wherever it shows up' : 'trusted'],
    [
      'For',
      pin.file === undefined ? ownerText(pin.owner) : `everybody, by the administrator (keys.d/${pin.file})`,
    ],
    ['Mechanism', mechanismLabel(pin.mechanism)],
    ...(pin.caValidFor === undefined ? [] : [['Authority', `vouched for ${pin.caValidFor}`] as const]),
    ...(pin.firstSeen === 0 ? [] : [['Since', formatAgo(pin.firstSeen, now)] as const]),
    ['Used', used],
    ...(pin.comment === '' ? [] : [['Comment', pin.comment] as const]),
  ];
  return rows.map(([name, text]) => `${name.padEnd(10)} ${text}`).join('\n');
}

function serverText(pin: ListedKey): string {
  if (pin.name === undefined) return formatEndpoint(pin);
  return pin.address === NO_ADDRESS
    ? `${pin.name}, port ${pin.port}`
    : `${pin.name} (${formatEndpoint(pin)})`;
}

function placeText(place: Place): string {
  const { address, port, name } = place;
  return serverLabel({ server: { address, port }, name });
}

function ownerText(owner: Owner): string {
  return owner.kind === 'machine' ? 'machine' : userName(owner.uid);
}

function isSameServer(a: Place, b: Place): boolean {
  return a.address === b.address && a.port === b.port;
}

function nothingKnown(what: string): Fault {
  return new Fault('key', `Nothing of yours is known about ${what}; see ftpseal keys list.`);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Fault('usage', `${file} can’t be read.`, error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
