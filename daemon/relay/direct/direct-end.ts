// A connection whose bytes are moved by system calls on a descriptor of our own, while its Node socket, paused, goes on
// owning it: who destroys or resets that one ends this, too.
import type { Socket } from 'node:net';
import { ErrnoError, closeDescriptor, duplicateDescriptor } from '../../sys/libc.js';
import { Readiness, type Interest, type Ready } from '../../sys/readiness.js';
import { socketDescriptor } from '../../sys/socket-descriptor.js';
import type { TlsDescriptor } from '../../sys/tls-descriptor.js';
import { resetSocket } from '../reset-socket.js';
import { noBytes, plainBytes, tlsBytes, type DirectBytes } from './direct-bytes.js';

/** Who uses an end now. */
export interface EndUser {
  readonly onReady: (ready: Ready) => void;
  /** The Node socket was closed by somebody else; the end is disposed of already. */
  readonly onGone: () => void;
}

/** Node closes a thread's sockets when it ends and knows nothing of these. */
const open = new Set<DirectEnd>();

function disposeOfAll(): void {
  for (const end of open) end.dispose();
}

/** Begins in clear. Nobody may have read from the Node socket before, and nobody may afterwards. */
export class DirectEnd {
  readonly owner: Socket;
  readonly fd: number;
  readonly #readiness: Readiness;
  #bytes: DirectBytes;
  #tls: TlsDescriptor | undefined;
  #user: EndUser | undefined;
  #disposed = false;

  private constructor(owner: Socket, fd: number) {
    this.owner = owner;
    this.fd = fd;
    this.#bytes = plainBytes(fd);
    this.#readiness = new Readiness(fd, (ready) => this.#user?.onReady(ready));
    owner.on('error', () => undefined);
    owner.once('close', this.#onOwnerClosed);
    if (open.size === 0) process.once('exit', disposeOfAll);
    open.add(this);
  }

  /** Undefined if the socket is closed already, or this process has no descriptor left. */
  static on(owner: Socket): DirectEnd | undefined {
    const fd = owner.destroyed ? undefined : socketDescriptor(owner);
    if (fd === undefined) return undefined;
    try {
      return new DirectEnd(owner, duplicateDescriptor(fd));
    } catch (error) {
      if (error instanceof ErrnoError) return undefined;
      throw error;
    }
  }

  get bytes(): DirectBytes {
    return this.#bytes;
  }

  /** From now on TLS has the descriptor; it is freed with this end. */
  secure(tls: TlsDescriptor): void {
    this.#tls = tls;
    this.#bytes = tlsBytes(this.fd, tls);
  }

  /** Replaces whoever used it before; nothing is waited for until `want`. */
  use(user: EndUser): void {
    this.#user = user;
    this.want('nothing');
  }

  want(interest: Interest): void {
    this.#readiness.want(interest);
  }

  /** Closes. The peer gets a FIN unless it had one, or a reset if it sent what nobody read. */
  close(): void {
    this.dispose();
    this.owner.destroy();
  }

  /** Closes with a TCP reset: the peer can't take it for an end. */
  reset(): void {
    resetSocket(this.owner);
    this.dispose();
  }

  /** Lets go of the connection, which stays the Node socket's alone. Idempotent. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#user = undefined;
    this.owner.off('close', this.#onOwnerClosed);
    this.#readiness.close();
    this.#bytes = noBytes;
    this.#tls?.free();
    closeDescriptor(this.fd);
    open.delete(this);
    if (open.size === 0) process.off('exit', disposeOfAll);
  }

  readonly #onOwnerClosed = (): void => {
    const user = this.#user;
    this.dispose();
    user?.onGone();
  };
}
