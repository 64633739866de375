// The desktop's session bus (D-Bus). A call on a bus that died never settles by itself, so every call here has a time-out.
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../shared/fault.js';
import {
  dbusErrorSchema,
  Message,
  sessionBus,
  signalType,
  type DbusConnection,
  type DbusMessage,
} from './dbus-library.js';

/** Milliseconds for a call, and for the connection to stand. */
const callMs = 3000;

const dbus = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
};

/** Whom to call and with what; the signature describes the body. */
export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

export interface BusSignal {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** Answers calls to our own objects: the signature and values of the reply, or undefined for what it does not know. */
export type BusObject = (message: DbusMessage) => readonly [string, ...unknown[]] | undefined;

/** The bus's address as the environment tells it; undefined where there is none. */
export function sessionBusAddress(env: NodeJS.ProcessEnv): string | undefined {
  const given = env['DBUS_SESSION_BUS_ADDRESS'];
  if (given !== undefined && given !== '') return given;
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime === undefined || runtime === '') return undefined;
  const socket = join(runtime, 'bus');
  return existsSync(socket) ? `unix:path=${socket}` : undefined;
}

/** One connection. After `onGone` was called every call rejects. */
export class SessionBus {
  readonly #bus: DbusConnection;
  readonly #goneListeners = new Set<() => void>();
  #gone = false;

  private constructor(bus: DbusConnection) {
    this.#bus = bus;
    bus.on('error', () => {
      this.#end();
    });
    // The library keeps the end of the stream to itself.
    const connection: unknown = Reflect.get(bus, '_connection');
    if (connection instanceof EventEmitter) {
      connection.once('end', () => {
        this.#end();
      });
    }
  }

  /** Rejects with a Fault of code `missing-tool` where there is no bus. */
  static async connect(env: NodeJS.ProcessEnv = process.env): Promise<SessionBus> {
    const busAddress = sessionBusAddress(env);
    if (busAddress === undefined) throw noBus();
    let bus: DbusConnection;
    try {
      bus = sessionBus({ busAddress });
    } catch (error) {
      throw noBus(error);
    }
    const made = new SessionBus(bus);
    try {
      await inTime(
        new Promise<void>((resolve, reject) => {
          bus.on('connect', resolve);
          made.onGone(() => {
            reject(noBus());
          });
        }),
      );
    } catch (error) {
      made.close();
      throw noBus(error);
    }
    return made;
  }

  /** The reply's values. Rejects with a Fault of code `network`: the other side's error, or no answer in three seconds. */
  async call({ signature, body, ...to }: BusCall): Promise<readonly unknown[]> {
    if (this.#gone) throw new Fault('network', 'The desktop’s session bus has gone.');
    const message = new Message({
      ...to,
      ...(signature === undefined ? {} : { signature }),
      ...(body === undefined ? {} : { body: [...body] }),
    });
    try {
      const reply = await inTime(this.#bus.call(message));
      return reply?.body ?? [];
    } catch (error) {
      throw new Fault('network', `${to.destination} did not do ${to.member}: ${reasonOf(error)}`, error);
    }
  }

  /** Says something to everybody; lost where the bus has gone. */
  emit({ path, interface: iface, member, signature, body }: BusSignal): void {
    if (this.#gone) return;
    try {
      this.#bus.send(Message.newSignal(path, iface, member, signature, [...body]));
    } catch {
      this.#end();
    }
  }

  /** Answers calls to the object at `path` until the returned function is called. */
  serve(path: string, object: BusObject): () => void {
    const handler = (message: DbusMessage): boolean => {
      if (message.path !== path) return false;
      const reply = object(message);
      if (reply === undefined) return false;
      const [signature, ...body] = reply;
      this.#bus.send(Message.newMethodReturn(message, signature, body));
      return true;
    };
    this.#bus.addMethodHandler(handler);
    return () => {
      this.#bus.removeMethodHandler(handler);
    };
  }

  async requestName(name: string): Promise<void> {
    const doNotQueue = 4;
    await this.call({ ...dbus, member: 'RequestName', signature: 'su', body: [name, doNotQueue] });
  }

  /** Hears the signals of one interface of a peer; the listener gets member and values. */
  async listen(
    sender: string,
    iface: string,
    listener: (member: string, body: readonly unknown[]) => void,
  ): Promise<void> {
    this.#bus.on('message', (message) => {
      if (message.type === signalType && message.interface === iface) listener(message.member, message.body);
    });
    await this.#match(`type='signal',sender='${sender}',interface='${iface}'`);
  }

  /** Tells the owner of a name now and at every change; undefined while nobody has it. */
  async watchName(name: string, listener: (owner: string | undefined) => void): Promise<void> {
    this.#bus.on('message', (message) => {
      if (message.type !== signalType || message.member !== 'NameOwnerChanged') return;
      const [changed, , owner] = message.body;
      if (message.sender === dbus.destination && changed === name) listener(textOf(owner));
    });
    await this.#match(
      `type='signal',sender='${dbus.destination}',interface='${dbus.interface}',member='NameOwnerChanged',arg0='${name}'`,
    );
    listener(await this.ownerOf(name));
  }

  async ownerOf(name: string): Promise<string | undefined> {
    const call = { ...dbus, member: 'GetNameOwner', signature: 's', body: [name] };
    return this.call(call).then(
      ([owner]) => textOf(owner),
      () => undefined,
    );
  }

  onGone(listener: () => void): void {
    this.#goneListeners.add(listener);
  }

  /** Does not call the listeners of `onGone`. */
  close(): void {
    this.#goneListeners.clear();
    this.#gone = true;
    this.#bus.disconnect();
  }

  async #match(rule: string): Promise<void> {
    await this.call({ ...dbus, member: 'AddMatch', signature: 's', body: [rule] });
  }

  #end(): void {
    if (this.#gone) return;
    this.#gone = true;
    for (const listener of this.#goneListeners) listener();
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function noBus(cause?: unknown): Fault {
  return new Fault(
    'missing-tool',
    'There is no desktop session bus (D-Bus) here, so no tray icon and no notification can be shown. Questions are answered with: ftpseal prompts',
    cause,
  );
}

function reasonOf(error: unknown): string {
  const answered = dbusErrorSchema.safeParse(error);
  if (answered.success) return answered.data.text ?? answered.data.type;
  return error instanceof Error ? error.message : String(error);
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('no answer in time'));
    }, callMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
