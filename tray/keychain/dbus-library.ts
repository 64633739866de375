// The D-Bus library's few parts that are used here, with types of our own: those that it brings don't compile.
import { createRequire } from 'node:module';
import { z } from 'zod';

export interface DbusMessage {
  readonly type: number;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

/** Settles never if the bus is dead. A D-Bus error rejects with an Error that has its name as `type`. */
export interface DbusConnection {
  call(message: object): Promise<DbusMessage | null>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'message', listener: (message: DbusMessage) => void): unknown;
  disconnect(): void;
}

const isFunction = (value: unknown) => typeof value === 'function';

const librarySchema = z.object({
  sessionBus: z.custom<(options: { readonly busAddress: string }) => DbusConnection>(isFunction),
  Message: z.custom<new (fields: object) => object>(isFunction),
});

const loaded: unknown = createRequire(import.meta.url)('@particle/dbus-next');

export const { sessionBus, Message } = librarySchema.parse(loaded);

export const signalType = 4;

/** The D-Bus name of the error that a call was answered with, if it was answered. */
export const dbusErrorSchema = z.object({ name: z.literal('DBusError'), type: z.string() });
