// The D-Bus library's parts that a service needs, with types of our own: those that it brings don't compile.
import { createRequire } from 'node:module';
import { z } from 'zod';

export interface DbusMessage {
  readonly type: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly sender: string;
  readonly body: readonly unknown[];
}

/** A value that carries its own type. */
export interface Variant {
  readonly signature: string;
  readonly value: unknown;
}

/** Calls settle never if the bus is dead. */
export interface DbusConnection {
  call(message: DbusMessage): Promise<DbusMessage | null>;
  send(message: DbusMessage): void;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'connect', listener: () => void): unknown;
  on(event: 'message', listener: (message: DbusMessage) => void): unknown;
  addMethodHandler(handler: (message: DbusMessage) => boolean): void;
  removeMethodHandler(handler: (message: DbusMessage) => boolean): void;
  disconnect(): void;
}

interface MessageClass {
  new (fields: object): DbusMessage;
  newSignal(
    path: string,
    iface: string,
    member: string,
    signature: string,
    body: readonly unknown[],
  ): DbusMessage;
  newMethodReturn(to: DbusMessage, signature: string, body: readonly unknown[]): DbusMessage;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';

const librarySchema = z.object({
  sessionBus: z.custom<(options: { readonly busAddress: string }) => DbusConnection>(isFunction),
  Message: z.custom<MessageClass>(isFunction),
  Variant: z.custom<new (signature: string, value: unknown) => Variant>(isFunction),
});

const loaded: unknown = createRequire(import.meta.url)('@particle/dbus-next');

export const { sessionBus, Message, Variant } = librarySchema.parse(loaded);

export const signalType = 4;

/** What a call was answered with, if it was answered with an error. */
export const dbusErrorSchema = z.object({
  name: z.literal('DBusError'),
  type: z.string(),
  text: z.string().optional(),
});
