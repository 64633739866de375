// The tray's menu as com.canonical.dbusmenu, version 3: the object that panels draw the menu from.
import { z } from 'zod';
import { Variant, type DbusMessage } from '../bus/dbus-library.js';
import type { SessionBus } from '../bus/session-bus.js';
import { lockMark } from '../icons/tray-icon.js';
import { toPng } from '../icons/png.js';
import type { MenuEntry, TrayAction } from '../model/tray-view.js';
import { MenuIds, type NumberedEntry } from './menu-ids.js';

export const menuPath = '/MenuBar';
const menuInterface = 'com.canonical.dbusmenu';
const markSize = 16;
const root = 0;

type Properties = Readonly<Record<string, Variant>>;

const objectProperties: Properties = {
  Version: new Variant('u', 3),
  TextDirection: new Variant('s', 'ltr'),
  Status: new Variant('s', 'normal'),
  IconThemePath: new Variant('as', []),
};

const idSchema = z.number().int();
const eventSchema = z.tuple([idSchema, z.string(), z.unknown(), z.number()]);

/** Serves the menu on the bus until `close`. */
export class DbusMenu {
  readonly #bus: SessionBus;
  readonly #onAction: (action: TrayAction) => void;
  readonly #ids = new MenuIds();
  readonly #stop: () => void;
  #revision = 1;

  constructor(bus: SessionBus, onAction: (action: TrayAction) => void) {
    this.#bus = bus;
    this.#onAction = onAction;
    this.#stop = bus.serve(menuPath, (message) => this.#answer(message));
  }

  /** An open menu stays open where only words change. */
  show(menu: readonly MenuEntry[]): void {
    const { layout, changed } = this.#ids.take(menu);
    if (changed.length > 0) {
      const properties = changed.map(({ id, entry }) => [id, propertiesOf(entry)]);
      this.#emit('ItemsPropertiesUpdated', 'a(ia{sv})a(ias)', [properties, []]);
    }
    if (!layout) return;
    this.#revision += 1;
    this.#emit('LayoutUpdated', 'ui', [this.#revision, root]);
  }

  close(): void {
    this.#stop();
  }

  #emit(member: string, signature: string, body: readonly unknown[]): void {
    this.#bus.emit({ path: menuPath, interface: menuInterface, member, signature, body });
  }

  #answer({ interface: iface, member, body }: DbusMessage): readonly [string, ...unknown[]] | undefined {
    const values: readonly unknown[] = body;
    if (iface === 'org.freedesktop.DBus.Properties') return propertyReply(member, values, objectProperties);
    if (iface !== menuInterface) return undefined;
    switch (member) {
      case 'GetLayout':
        return ['u(ia{sv}av)', this.#revision, this.#layout(values[0])];
      case 'GetGroupProperties':
        return ['a(ia{sv})', this.#group(values[0])];
      case 'GetProperty':
        return ['v', this.#property(values[0], values[1])];
      case 'Event':
        this.#event(values);
        return [''];
      case 'EventGroup':
        for (const event of z.array(z.unknown()).max(64).catch([]).parse(values[0])) this.#event(event);
        return ['ai', []];
      case 'AboutToShow':
        return ['b', false];
      case 'AboutToShowGroup':
        return ['aiai', [], []];
      default:
        return undefined;
    }
  }

  #layout(parent: unknown): readonly [number, Properties, readonly Variant[]] {
    if (parent !== root) {
      const one = this.#ids.entries.find(({ id }) => id === parent);
      return [one?.id ?? root, one === undefined ? {} : propertiesOf(one.entry), []];
    }
    const children = this.#ids.entries.map(
      ({ id, entry }) => new Variant('(ia{sv}av)', [id, propertiesOf(entry), []]),
    );
    return [root, { 'children-display': new Variant('s', 'submenu') }, children];
  }

  #group(wanted: unknown): readonly (readonly [number, Properties])[] {
    const ids = z.array(idSchema).max(256).catch([]).parse(wanted);
    const isWanted = ({ id }: NumberedEntry): boolean => ids.length === 0 || ids.includes(id);
    return this.#ids.entries.filter(isWanted).map(({ id, entry }) => [id, propertiesOf(entry)]);
  }

  #property(id: unknown, name: unknown): Variant {
    const entry = this.#ids.entries.find((one) => one.id === id)?.entry;
    const found = entry === undefined ? undefined : propertiesOf(entry)[String(name)];
    return found ?? new Variant('s', '');
  }

  #event(event: unknown): void {
    const parsed = eventSchema.safeParse(event);
    if (!parsed.success || parsed.data[1] !== 'clicked') return;
    const action = this.#ids.actionOf(parsed.data[0]);
    if (action !== undefined) this.#onAction(action);
  }
}

function propertiesOf(entry: MenuEntry): Properties {
  if (entry.kind === 'separator') return { type: new Variant('s', 'separator') };
  const label = { label: new Variant('s', entry.text.replaceAll('_', '__')) };
  switch (entry.kind) {
    case 'line':
      return { ...label, enabled: new Variant('b', false) };
    case 'check':
      return {
        ...label,
        'toggle-type': new Variant('s', 'checkmark'),
        'toggle-state': new Variant('i', entry.checked ? 1 : 0),
      };
    case 'action':
      return entry.mark === undefined ? label : { ...label, 'icon-data': markData(entry.mark) };
  }
}

function markData(mark: 'locked' | 'open'): Variant {
  return new Variant('ay', toPng(lockMark(mark, markSize)));
}

/** org.freedesktop.DBus.Properties for objects whose properties nobody may set. */
export function propertyReply(
  member: string,
  [, name]: readonly unknown[],
  properties: Properties,
): readonly [string, ...unknown[]] | undefined {
  if (member === 'GetAll') return ['a{sv}', properties];
  const value = member === 'Get' ? properties[String(name)] : undefined;
  return value === undefined ? undefined : ['v', value];
}
