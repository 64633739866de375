// Desktop notifications (org.freedesktop.Notifications) for open questions. They can open the question page and refuse; they can't
// trust, because the whole fingerprint is not seen there.
import { z } from 'zod';
import { Fault } from '../../shared/fault.js';
import type { QuestionView } from '../../shared/ipc-messages.js';
import { Variant } from '../bus/dbus-library.js';
import type { SessionBus } from '../bus/session-bus.js';
import { trayIcon } from '../icons/tray-icon.js';
import { moreText, notificationText, type NotificationText } from '../model/notification-text.js';

const service = {
  destination: 'org.freedesktop.Notifications',
  path: '/org/freedesktop/Notifications',
  interface: 'org.freedesktop.Notifications',
};
/** More than these at once would cover the screen; the rest share one notification. */
const shownAtOnce = 3;
const more = 'more';
const imageSize = 48;

const never = 0;

export interface NotifierListener {
  onDetails(questionId: string): void;
  onManager(): void;
  onRefuse(questionId: string): void;
  /** There is no notifier, or it died; what to do instead. Called once for each time. */
  onTrouble(sentence: string): void;
}

interface Shown {
  readonly text: string;
  /** The desktop's number for it; undefined while it is being shown. */
  number: number | undefined;
  /** The person has closed it, so it must not come again for the same question. */
  closed: boolean;
}

const invokedSchema = z.tuple([z.number(), z.string()]);
const closedSchema = z.tuple([z.number(), z.number()]).rest(z.unknown());
const byPerson = 2;

export class Notifier {
  readonly #bus: SessionBus;
  readonly #listener: NotifierListener;
  readonly #shown = new Map<string, Shown>();
  #questions: readonly QuestionView[] = [];
  #present = false;
  /** One change after the other: a close must not overtake the number it needs. */
  #work: Promise<void> = Promise.resolve();

  private constructor(bus: SessionBus, listener: NotifierListener) {
    this.#bus = bus;
    this.#listener = listener;
  }

  /** Rejects with a Fault if the bus does not work; a desktop without notifier is told to the listener. */
  static async open(bus: SessionBus, listener: NotifierListener): Promise<Notifier> {
    const notifier = new Notifier(bus, listener);
    await bus.listen(service.destination, service.interface, (member, body) => {
      // A click may come together with the answer that tells the notification's number, which is taken note of a moment later.
      setImmediate(() => {
        notifier.#onSignal(member, body);
      });
    });
    await bus.watchName(service.destination, (owner) => {
      notifier.#onOwner(owner);
    });
    if (!notifier.#present) await notifier.#wake();
    return notifier;
  }

  /** Whether a notifier is there now. */
  get present(): boolean {
    return this.#present;
  }

  /** Shows what is open now and takes back what no longer is. */
  show(questions: readonly QuestionView[]): void {
    this.#questions = questions;
    this.#work = this.#work.then(() => this.#update());
  }

  /** Takes everything back. */
  async close(): Promise<void> {
    this.show([]);
    await this.#work;
  }

  /** Many notifiers start when they are called first. */
  async #wake(): Promise<void> {
    try {
      await this.#bus.call({ ...service, member: 'GetServerInformation' });
      this.#present = true;
      this.show(this.#questions);
    } catch {
      this.#listener.onTrouble(
        'This desktop shows no notifications. Questions are in the tray menu and in the manager.',
      );
    }
  }

  #onOwner(owner: string | undefined): void {
    const was = this.#present;
    this.#present = owner !== undefined;
    // A notifier that starts again knows nothing of what the last one showed, nor of what the person had closed.
    for (const shown of this.#shown.values()) shown.number = undefined;
    if (owner === undefined) {
      if (was) this.#listener.onTrouble('The desktop’s notifier has gone. Questions are in the tray menu.');
      for (const [key, shown] of this.#shown) if (!shown.closed) this.#shown.delete(key);
    } else if (!was) {
      this.show(this.#questions);
    }
  }

  async #update(): Promise<void> {
    if (!this.#present) return;
    const wanted = wantedOf(this.#questions, this.#shown);
    for (const [key, shown] of this.#shown) {
      if (!wanted.has(key) && !this.#isClosedButOpen(key, shown)) await this.#takeBack(key, shown);
    }
    for (const [key, text] of wanted) await this.#put(key, text);
  }

  /** A question whose notification the person closed is remembered until it is answered. */
  #isClosedButOpen(key: string, shown: Shown): boolean {
    return shown.closed && this.#questions.some(({ id }) => id === key);
  }

  async #put(key: string, text: NotificationText): Promise<void> {
    const before = this.#shown.get(key);
    const said = JSON.stringify(text);
    if (before?.closed === true || before?.text === said) return;
    const shown: Shown = { text: said, number: before?.number, closed: false };
    this.#shown.set(key, shown);
    try {
      const [number] = await this.#bus.call({
        ...service,
        member: 'Notify',
        signature: 'susssasa{sv}i',
        body: bodyOf(key, text, before?.number ?? 0),
      });
      shown.number = z.number().parse(number);
    } catch (error) {
      this.#shown.delete(key);
      this.#listener.onTrouble(`A notification could not be shown (${Fault.from(error).userMessage}).`);
    }
  }

  async #takeBack(key: string, { number }: Shown): Promise<void> {
    this.#shown.delete(key);
    if (number === undefined) return;
    const call = { ...service, member: 'CloseNotification', signature: 'u', body: [number] };
    // It may have been closed meanwhile, which some notifiers call an error.
    await this.#bus.call(call).catch(() => undefined);
  }

  #onSignal(member: string, body: readonly unknown[]): void {
    if (member === 'ActionInvoked') {
      const parsed = invokedSchema.safeParse(body);
      if (parsed.success) this.#onAction(this.#keyOf(parsed.data[0]), parsed.data[1]);
    } else if (member === 'NotificationClosed') {
      const parsed = closedSchema.safeParse(body);
      const key = parsed.success ? this.#keyOf(parsed.data[0]) : undefined;
      if (key !== undefined && parsed.data?.[1] === byPerson) this.#setClosed(key);
    }
  }

  #onAction(key: string | undefined, action: string): void {
    if (key === undefined) return;
    this.#setClosed(key);
    if (key === more) this.#listener.onManager();
    else if (action === 'refuse') this.#listener.onRefuse(key);
    else this.#listener.onDetails(key);
  }

  #setClosed(key: string): void {
    const shown = this.#shown.get(key);
    if (shown === undefined) return;
    shown.closed = true;
    shown.number = undefined;
  }

  #keyOf(number: number): string | undefined {
    return [...this.#shown].find(([, shown]) => shown.number === number)?.[0];
  }
}

/** One that nobody waits for any more stays where it was shown, with other words; an old one needs no new notification. */
function wantedOf(
  questions: readonly QuestionView[],
  shown: ReadonlyMap<string, Shown>,
): ReadonlyMap<string, NotificationText> {
  const due = questions.filter(({ id, waiting, refused }) => {
    const before = shown.get(id);
    return before?.closed !== true && (waiting + refused > 0 || before !== undefined);
  });
  const oldest = [...due].sort((a, b) => a.openedAt - b.openedAt);
  const own = oldest.slice(0, shownAtOnce);
  const rest = oldest.length - own.length;
  return new Map([
    ...own.map((question) => [question.id, notificationText(question)] as const),
    ...(rest > 0 ? [[more, moreText(rest)] as const] : []),
  ]);
}

function bodyOf(
  key: string,
  { summary, body, urgent }: NotificationText,
  replaces: number,
): readonly unknown[] {
  // No default action: some notifiers draw it as one more button.
  const actions = key === more ? ['details', 'Open manager'] : ['details', 'Details', 'refuse', 'Refuse'];
  const picture = trayIcon(urgent ? { kind: 'trouble' } : { kind: 'question', count: 1 }, imageSize);
  const image = [imageSize, imageSize, imageSize * 4, true, 8, 4, Buffer.from(picture.rgba)];
  const hints = {
    urgency: new Variant('y', urgent ? 2 : 1),
    'desktop-entry': new Variant('s', 'ftpseal'),
    category: new Variant('s', 'network'),
    'image-data': new Variant('(iiibiiay)', image),
  };
  return ['ftpseal', replaces, '', summary, body, actions, hints, never];
}
