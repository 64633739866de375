// What a person may do with servers and keys. Deleting can be taken back for a while.
import { randomUUID } from 'node:crypto';
import { parseEndpoint, parseIpAddress, type IpAddress } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { KeySelector } from '../../shared/ipc-messages.js';
import { parseHost } from '../../daemon/cli/selector.js';
import { parseFingerprint } from '../../shared/fingerprint.js';
import { keyFileSchema, type KeyFile } from '../../daemon/trust/pin-record.js';
import { parseGivenKey } from '../../daemon/trust/spki.js';
import type { DaemonLink } from '../agent-state.js';
import { displayText } from './display-text.js';
import { count } from './views/words.js';
import type { DoneView } from './wire.js';

/** Deletions that can be taken back, and for how long. */
const maxUndo = 16;
const undoLifeMs = 10 * 60 * 1000;

interface Undo {
  readonly file: KeyFile;
  readonly until: number;
}

export interface KeyActionsOptions {
  readonly link: DaemonLink;
  readonly now: () => number;
  /** All addresses of a name; none if it has none. */
  readonly resolve: (name: string) => Promise<readonly IpAddress[]>;
}

/** Every method rejects with a Fault whose sentence the person reads. */
export class KeyActions {
  readonly #options: KeyActionsOptions;
  readonly #undo = new Map<string, Undo>();

  constructor(options: KeyActionsOptions) {
    this.#options = options;
  }

  async add(server: string, key: string, comment: string): Promise<DoneView> {
    const { host, port } = parseHost(server.trim());
    const { fingerprint, from } = parseGivenKey(key);
    const address = parseIpAddress(host);
    const addresses = address === undefined ? await this.#options.resolve(host) : [address];
    if (addresses.length === 0) {
      throw new Fault(
        'usage',
        `“${displayText(host, 100)}” has no address. Check the spelling and the network.`,
      );
    }
    const { keys } = await this.#options.link.request('keys.add', {
      fingerprint,
      addresses: addresses.slice(0, 64),
      port: port ?? 21,
      ...(address === undefined ? { name: host } : {}),
      revoked: false,
      mechanism: from === 'SafeTP public key' ? 'X-SafeTP1' : 'TLS',
      comment: comment.trim() === '' ? `added by hand from a ${from}` : comment.trim().slice(0, 256),
    });
    return done(
      `The key is trusted for ${displayText(host, 100)} (${count(keys.length, 'address', 'addresses')}).`,
    );
  }

  async rename(place: string, fingerprint: string, label: string): Promise<DoneView> {
    await this.#options.link.request('keys.rename', {
      selector: selectorOf(place, fingerprint),
      label: label.trim(),
    });
    return done(label.trim() === '' ? 'The name was taken away.' : 'The name was changed.');
  }

  async revoke(place: string, fingerprint: string): Promise<DoneView> {
    const { keys } = await this.#options.link.request('keys.revoke', {
      selector: selectorOf(place, fingerprint),
    });
    if (keys.length === 0) throw new Fault('usage', 'This key is not there any more.');
    return done('The key is revoked: it is refused everywhere from now on.');
  }

  /** Without a fingerprint the whole server is forgotten. */
  async remove(place: string, fingerprint: string): Promise<DoneView> {
    const { link } = this.#options;
    const before = await link.request('keys.find', { selector: selectorOf(place, '') });
    const gone = await link.request('keys.remove', { selector: selectorOf(place, fingerprint) });
    if (gone.keys.length + gone.forgotten === 0) throw new Fault('usage', 'This is not there any more.');
    const file = {
      version: 1,
      pins: gone.keys,
      secured: before.secured,
      cleartext: before.cleartext,
    } as const;
    const text =
      fingerprint === ''
        ? 'The server was forgotten.'
        : 'The key was deleted. Its server is a new one if it shows it again.';
    return { ...done(text), undo: this.#keep(file) };
  }

  async undo(id: string): Promise<DoneView> {
    const found = this.#undo.get(id);
    this.#undo.delete(id);
    if (found === undefined || found.until < this.#options.now()) {
      throw new Fault('usage', 'This can’t be taken back any more.');
    }
    await this.#options.link.request('keys.import', { file: found.file });
    return done('It is back as it was.');
  }

  async import(text: string): Promise<DoneView> {
    const { added, unchanged } = await this.#options.link.request('keys.import', {
      file: parseKeyFile(text),
    });
    return done(`${count(added, 'key')} added, ${unchanged} known already.`);
  }

  /** The file that `ftpseal keys import` and this page read. */
  async export(): Promise<string> {
    return `${JSON.stringify(await this.#options.link.request('keys.export', {}), undefined, 1)}\n`;
  }

  #keep(file: KeyFile): string {
    const [oldest] = this.#undo.keys();
    if (this.#undo.size >= maxUndo && oldest !== undefined) this.#undo.delete(oldest);
    const id = randomUUID();
    this.#undo.set(id, { file, until: this.#options.now() + undoLifeMs });
    return id;
  }
}

function parseKeyFile(text: string): KeyFile {
  try {
    return keyFileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Fault(
      'key',
      'This is no key file of ftpseal’s. It is made with Export, or with: ftpseal keys export',
      cause,
    );
  }
}

/** `owner address:port`, as views/keys-view.ts makes it. */
function selectorOf(place: string, fingerprint: string): KeySelector {
  const endpoint = parseEndpoint(place.split(' ')[1] ?? '');
  if (endpoint === undefined) throw new Fault('usage', 'This server is not there any more.');
  const host = { host: endpoint.address, port: endpoint.port };
  if (fingerprint === '') return { kind: 'host', ...host };
  const parsed = parseFingerprint(fingerprint);
  if (parsed === undefined) throw new Fault('key', 'This is no SHA-256 fingerprint.');
  return { kind: 'both', ...host, fingerprint: parsed };
}

function done(text: string): DoneView {
  return { kind: 'done', text };
}
