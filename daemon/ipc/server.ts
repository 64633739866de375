// The IPC server: accepts on the Unix socket, asks the kernel who it is, and hands requests to the dispatch table.
import { createServer, type Server, type Socket } from 'node:net';
import { rm } from 'node:fs/promises';
import { Fault } from '../../shared/fault.js';
import { peerCredentials } from '../sys/peer-credentials.js';
import { socketDescriptor } from '../sys/socket-descriptor.js';
import { actorOf, type Actor } from './actor.js';
import { Channel, type RequestHandler } from './channel.js';
import { FrameBudget } from './frame-budget.js';
import { listenOnPath } from './socket-path.js';

/** A tray, a manager and a few watching terminals for each user; one user must not take the places of all others. */
const maxChannels = 128;
const maxChannelsPerUser = 24;
/** Kept free for root, however many users there are. */
const keptForRoot = 8;

/** See the head of the file. */
export class IpcServer {
  readonly #server: Server;
  readonly #path: string;
  readonly #channels = new Set<Channel>();
  readonly #budget = new FrameBudget();

  private constructor(path: string, handle: RequestHandler) {
    this.#path = path;
    this.#server = createServer((socket) => {
      this.#accept(socket, handle);
    });
  }

  /** Listens on `path`; rejects with a Fault if a living daemon has it or it can't be made. */
  static async listen(path: string, handle: RequestHandler): Promise<IpcServer> {
    const server = new IpcServer(path, handle);
    try {
      await listenOnPath(server.#server, path);
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault('network', `The socket ${path} can’t be made; is its folder writable?`, error);
    }
    return server;
  }

  /** Cuts every caller and removes the socket. */
  async close(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    await rm(this.#path, { force: true });
  }

  #accept(socket: Socket, handle: RequestHandler): void {
    const fd = socketDescriptor(socket);
    const peer = fd === undefined ? undefined : peerCredentials(fd);
    const actor = peer === undefined ? undefined : actorOf(peer.uid, process.geteuid?.());
    if (actor === undefined || !this.#hasRoom(actor)) {
      socket.destroy();
      return;
    }
    const channel = new Channel(socket, actor, this.#budget, handle);
    this.#channels.add(channel);
    channel.onClose(() => {
      this.#channels.delete(channel);
    });
  }

  #hasRoom({ kind, uid }: Actor): boolean {
    const own = [...this.#channels].filter((channel) => channel.actor.uid === uid).length;
    const room = kind === 'all' ? maxChannels : maxChannels - keptForRoot;
    return this.#channels.size < room && own < maxChannelsPerUser;
  }
}
