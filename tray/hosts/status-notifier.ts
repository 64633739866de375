// The tray icon on Linux desktops: org.kde.StatusNotifierItem on the session bus. It needs neither display nor toolkit, and
// comes back when the panel does.
import { Fault } from '../../shared/fault.js';
import { Variant, type DbusMessage } from '../bus/dbus-library.js';
import type { SessionBus } from '../bus/session-bus.js';
import { toPixmap, type Pixmap } from '../icons/formats.js';
import { iconSizes, trayIcon } from '../icons/tray-icon.js';
import { escapeMarkup } from '../model/markup.js';
import type { IconState, TrayView } from '../model/tray-view.js';
import { DbusMenu, menuPath, propertyReply } from './dbus-menu.js';
import type { TrayHost, TrayHostListener } from './tray-host.js';

const itemPath = '/StatusNotifierItem';
const itemInterface = 'org.kde.StatusNotifierItem';
const watcher = {
  destination: 'org.kde.StatusNotifierWatcher',
  path: '/StatusNotifierWatcher',
  interface: 'org.kde.StatusNotifierWatcher',
};

const hidden =
  'This desktop shows no status icons now, so ftpseal has none. Questions come as notifications; the manager opens with: ftpseal manager';

/** Owns its name and its objects on the bus; the bus itself is the caller's. */
export class StatusNotifier implements TrayHost {
  readonly #bus: SessionBus;
  readonly #listener: TrayHostListener;
  readonly #name: string;
  readonly #menu: DbusMenu;
  readonly #stop: () => void;
  #view: TrayView;
  #closed = false;

  private constructor(bus: SessionBus, view: TrayView, listener: TrayHostListener) {
    this.#bus = bus;
    this.#view = view;
    this.#listener = listener;
    this.#name = `org.kde.StatusNotifierItem-${process.pid}-1`;
    this.#menu = new DbusMenu(bus, (action) => {
      listener.onAction(action);
    });
    this.#menu.show(view.menu);
    this.#stop = bus.serve(itemPath, (message) => this.#answer(message));
  }

  /** Rejects with a Fault where the bus does not work. A desktop without a panel is no failure: the listener hears `hidden`. */
  static async open(bus: SessionBus, view: TrayView, listener: TrayHostListener): Promise<StatusNotifier> {
    const host = new StatusNotifier(bus, view, listener);
    bus.onGone(() => {
      if (!host.#closed) listener.onLost('The desktop’s session bus has gone, and the tray icon with it.');
    });
    await bus.requestName(host.#name);
    await bus.watchName(watcher.destination, (owner) => {
      void host.#onWatcher(owner);
    });
    return host;
  }

  show(view: TrayView): void {
    const before = this.#view;
    this.#view = view;
    this.#menu.show(view.menu);
    if (JSON.stringify(before.icon) !== JSON.stringify(view.icon)) {
      this.#emit('NewIcon');
      this.#emit('NewStatus', 's', [statusOf(view.icon)]);
    }
    if (before.title !== view.title) this.#emit('NewTitle');
    if (before.tooltip !== view.tooltip) this.#emit('NewToolTip');
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#menu.close();
    this.#stop();
    return Promise.resolve();
  }

  /** The panel came, came back, or went. */
  async #onWatcher(owner: string | undefined): Promise<void> {
    if (this.#closed) return;
    if (owner === undefined) {
      this.#listener.onPresence({ kind: 'hidden', sentence: hidden });
      return;
    }
    try {
      const member = 'RegisterStatusNotifierItem';
      await this.#bus.call({ ...watcher, member, signature: 's', body: [this.#name] });
      this.#listener.onPresence({ kind: 'shown' });
    } catch (error) {
      const sentence = `The panel did not take the tray icon (${Fault.from(error).userMessage}).`;
      this.#listener.onPresence({ kind: 'hidden', sentence });
    }
  }

  #answer({ interface: iface, member, body }: DbusMessage): readonly [string, ...unknown[]] | undefined {
    if (iface === 'org.freedesktop.DBus.Properties') return propertyReply(member, body, this.#properties());
    if (iface !== itemInterface) return undefined;
    switch (member) {
      // A panel that does not open the menu on a click: the click means the most urgent thing.
      case 'Activate':
      case 'SecondaryActivate':
        this.#activate();
        return [''];
      case 'ContextMenu':
      case 'Scroll':
        return [''];
      default:
        return undefined;
    }
  }

  #activate(): void {
    const actions = this.#view.menu.flatMap((entry) => (entry.kind === 'action' ? [entry.action] : []));
    const action =
      actions.find(({ kind }) => kind === 'showQuestion') ??
      actions.find(({ kind }) => kind === 'showManager');
    if (action !== undefined) this.#listener.onAction(action);
  }

  #properties(): Readonly<Record<string, Variant>> {
    const { icon, title, tooltip } = this.#view;
    const pixmaps = pixmapsOf(icon);
    const [first = '', ...more] = tooltip.split('\n');
    return {
      Category: new Variant('s', 'SystemServices'),
      Id: new Variant('s', 'ftpseal'),
      Title: new Variant('s', `ftpseal: ${title}`),
      Status: new Variant('s', statusOf(icon)),
      WindowId: new Variant('i', 0),
      IconName: new Variant('s', ''),
      IconThemePath: new Variant('s', ''),
      IconPixmap: new Variant('a(iiay)', pixmaps),
      OverlayIconName: new Variant('s', ''),
      OverlayIconPixmap: new Variant('a(iiay)', []),
      AttentionIconName: new Variant('s', ''),
      AttentionIconPixmap: new Variant('a(iiay)', pixmaps),
      AttentionMovieName: new Variant('s', ''),
      // Desktops take the second text for markup.
      ToolTip: new Variant('(sa(iiay)ss)', ['', [], `ftpseal: ${first}`, escapeMarkup(more.join('\n'))]),
      ItemIsMenu: new Variant('b', true),
      Menu: new Variant('o', menuPath),
    };
  }

  #emit(member: string, signature = '', body: readonly unknown[] = []): void {
    this.#bus.emit({ path: itemPath, interface: itemInterface, member, signature, body });
  }
}

/** Panels hide what is passive, so the icon is always active: a person looks there to see that FTP is encrypted. */
function statusOf(icon: IconState): 'Active' | 'NeedsAttention' {
  return icon.kind === 'question' || icon.kind === 'trouble' ? 'NeedsAttention' : 'Active';
}

function pixmapsOf(icon: IconState): readonly Pixmap[] {
  return iconSizes.map((size) => toPixmap(trayIcon(icon, size)));
}
