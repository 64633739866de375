// What a panel and a notifier see of a person's tray, on the person's own session bus: one JSON line for each question on standard
// input, one for each answer. Only D-Bus is spoken here; nothing of the tray's own code is used.
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { Variant, type DbusMessage } from '../../../tray/bus/dbus-library.js';
import { SessionBus } from '../../../tray/bus/session-bus.js';

const itemInterface = 'org.kde.StatusNotifierItem';
const menuInterface = 'com.canonical.dbusmenu';
const notifications = 'org.freedesktop.Notifications';

const requestSchema = z.object({
  id: z.number(),
  do: z.enum(['item', 'menu', 'click', 'activate', 'notifier', 'noNotifier', 'notified', 'invoke', 'eager']),
  number: z.number().optional(),
  action: z.string().optional(),
});
type Request = z.infer<typeof requestSchema>;

interface Notified {
  readonly number: number;
  readonly summary: string;
  readonly body: string;
  readonly actions: readonly string[];
  closed: boolean;
}

const bus = await SessionBus.connect();
const notified: Notified[] = [];
let stopNotifier: (() => void) | undefined;
/** What is clicked on each notification as soon as it is shown. */
let eagerFor: string | undefined;

/** The newest of our tray's names on the bus; none while no tray runs. */
async function itemName(): Promise<string> {
  const [names] = await bus.call({
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'ListNames',
  });
  const found = z
    .array(z.string())
    .parse(names)
    .filter((name) => name.startsWith(`${itemInterface}-`));
  const name = found.at(-1);
  if (name === undefined) throw new Error('no tray item is on the bus');
  return name;
}

async function toItem(member: string, path: string, iface: string, signature: string, body: unknown[]) {
  return bus.call({ destination: await itemName(), path, interface: iface, member, signature, body });
}

async function item(): Promise<unknown> {
  const [all] = await toItem('GetAll', '/StatusNotifierItem', 'org.freedesktop.DBus.Properties', 's', [
    itemInterface,
  ]);
  const properties = z.record(z.string(), z.object({ value: z.unknown() })).parse(all);
  const pixmaps = z
    .array(z.tuple([z.number(), z.number(), z.instanceof(Buffer)]))
    .parse(properties['IconPixmap']?.value);
  return {
    title: properties['Title']?.value,
    status: properties['Status']?.value,
    tooltip: properties['ToolTip']?.value,
    sizes: pixmaps.map(([width]) => width),
  };
}

const layoutSchema = z.tuple([
  z.number(),
  z.tuple([
    z.number(),
    z.unknown(),
    z.array(
      z.object({
        value: z.tuple([z.number(), z.record(z.string(), z.object({ value: z.unknown() })), z.unknown()]),
      }),
    ),
  ]),
]);

async function menu(): Promise<unknown> {
  const reply = await toItem('GetLayout', '/MenuBar', menuInterface, 'iias', [0, -1, []]);
  const [, [, , children]] = layoutSchema.parse(reply);
  return children.map(({ value: [id, properties] }) => ({
    id,
    label: properties['label']?.value ?? '---',
    enabled: properties['enabled']?.value ?? true,
    checked: properties['toggle-state']?.value ?? -1,
  }));
}

/** As a panel does when the entry was clicked. */
async function click(id: number): Promise<unknown> {
  const nothing = new Variant('s', '');
  await toItem('Event', '/MenuBar', menuInterface, 'isvu', [id, 'clicked', nothing, 0]);
  return {};
}

/** Becomes the desktop's notifier. */
async function notifier(): Promise<unknown> {
  stopNotifier ??= bus.serve('/org/freedesktop/Notifications', answerNotification);
  await bus.requestName(notifications);
  return {};
}

async function noNotifier(): Promise<unknown> {
  notified.length = 0;
  await bus.call({
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'ReleaseName',
    signature: 's',
    body: [notifications],
  });
  return {};
}

const notifySchema = z
  .tuple([z.string(), z.number(), z.string(), z.string(), z.string(), z.array(z.string())])
  .rest(z.unknown());

function answerNotification({ member, body }: DbusMessage): readonly [string, ...unknown[]] | undefined {
  if (member === 'GetServerInformation') return ['ssss', 'desk', 'test', '1', '1.2'];
  if (member === 'CloseNotification') {
    for (const one of notified) if (one.number === body[0]) one.closed = true;
    return [''];
  }
  if (member !== 'Notify') return undefined;
  const [, replaces, , summary, text, actions] = notifySchema.parse(body);
  const number = replaces === 0 ? notified.length + 1 : replaces;
  const entry = { number, summary, body: text, actions, closed: false };
  const at = notified.findIndex((one) => one.number === number);
  if (at === -1) notified.push(entry);
  else notified[at] = entry;
  const action = eagerFor;
  if (action !== undefined) setImmediate(() => invoke(number, action));
  return ['u', number];
}

function invoke(number: number, action: string): unknown {
  bus.emit({
    path: '/org/freedesktop/Notifications',
    interface: notifications,
    member: 'ActionInvoked',
    signature: 'us',
    body: [number, action],
  });
  return {};
}

function perform({ do: what, number = 0, action = '' }: Request): unknown {
  switch (what) {
    case 'item':
      return item();
    case 'menu':
      return menu();
    case 'click':
      return click(number);
    case 'activate':
      return toItem('Activate', '/StatusNotifierItem', itemInterface, 'ii', [0, 0]);
    case 'notifier':
      return notifier();
    case 'noNotifier':
      return noNotifier();
    case 'notified':
      return notified;
    case 'invoke':
      return invoke(number, action);
    case 'eager':
      eagerFor = action;
      return {};
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = requestSchema.parse(JSON.parse(line));
  void Promise.resolve()
    .then(() => perform(request))
    .then(
      (result) => ({ id: request.id, result }),
      (error: unknown) => ({ id: request.id, error: String(error) }),
    )
    .then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
});
