// The IPC server: accepts callers, asks the system who they are, and hands requests to the dispatch table.
import { createServer, type Server, type Socket } from 'node:net';
import { rm } from 'node:fs/promises';
import { Fault } from '../../shared/fault.js';
import { ownUser } from '../sys/own-user.js';
import { actorOf, type Actor } from './actor.js';
import type { Channel, RequestHandler } from './channel.js';
import { FrameBudget } from './frame-budget.js';
import { ipcTransport } from './system-transport.js';
import type { IpcPeer, IpcTransport } from './transport.js';

/** A tray, a manager and a few watching terminals for each user; one user must not take the places of all others. */
const maxChannels = 128;
const maxChannelsPerUser = 24;
/** Kept free for root, however many users there are. */
const keptForRoot = 8;
/** Callers of whom it is not known yet who they are; where that takes a moment. */
const maxUnknown = 64;

interface Known {
  readonly peer: IpcPeer;
  readonly Channel: typeof Channel;
}

function channelModule(): Promise<{ readonly Channel: typeof Channel }> {
  return import('./channel.js');
}

/** See the head of the file. */
export class IpcServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #transport: IpcTransport;
  readonly #channels = new Set<Channel>();
  readonly #unknown = new Set<Socket>();
  readonly #budget = new FrameBudget();

  private constructor(path: string, transport: IpcTransport, handle: RequestHandler) {
    this.#path = path;
    this.#transport = transport;
    this.#server = createServer((socket) => {
      void this.#accept(socket, handle);
    });
  }

  /** Listens on `path`; rejects with a Fault if a living daemon has it or it can't be made. */
  static async listen(path: string, handle: RequestHandler): Promise<IpcServer> {
    const transport = await ipcTransport();
    const server = new IpcServer(path, transport, handle);
    try {
      await transport.listen(server.#server, path);
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault('network', `The socket ${path} can’t be made; is its folder writable?`, error);
    }
    return server;
  }

  /**
   * Loads what callers need, which is not worth the time of a start. Whoever calls earlier has it loaded; to be called soon all the
   * same, because an upgrade replaces the files. Never rejects: who calls tries again.
   */
  async prepare(): Promise<void> {
    await channelModule().catch(() => undefined);
  }

  /** Cuts every caller and removes the socket. */
  async close(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    for (const socket of this.#unknown) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    await rm(this.#path, { force: true });
  }

  async #accept(socket: Socket, handle: RequestHandler): Promise<void> {
    // Until its channel listens.
    socket.once('error', () => socket.destroy());
    const known = this.#unknown.size < maxUnknown ? await this.#identify(socket) : undefined;
    const actor = known === undefined ? undefined : actorOf(known.peer, ownUser());
    if (known === undefined || actor === undefined || socket.destroyed || !this.#hasRoom(actor)) {
      socket.destroy();
      return;
    }
    const channel = new known.Channel(socket, actor, this.#budget, handle);
    this.#channels.add(channel);
    channel.onClose(() => {
      this.#channels.delete(channel);
    });
  }

  async #identify(socket: Socket): Promise<Known | undefined> {
    this.#unknown.add(socket);
    try {
      const peer = await this.#transport.identify(socket, this.#path);
      return peer === undefined ? undefined : { peer, Channel: (await channelModule()).Channel };
    } catch {
      return undefined;
    } finally {
      this.#unknown.delete(socket);
    }
  }

  #hasRoom({ kind, uid }: Actor): boolean {
    const own = [...this.#channels].filter((channel) => channel.actor.uid === uid).length;
    const room = kind === 'all' ? maxChannels : maxChannels - keptForRoot;
    return this.#channels.size < room && own < maxChannelsPerUser;
  }
}
