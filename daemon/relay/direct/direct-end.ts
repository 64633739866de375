// A connection whose bytes are moved by system calls on a descriptor of our own. Its Node socket, paused, goes on owning it, so
// that who destroys or resets that one ends this, too; or it is taken over from a Node socket that has read, and nobody else has it.
import type { Socket } from 'node:net';
import { ErrnoError, closeDescriptor, duplicateDescriptor, resetOnClose } from '../../sys/libc.js';
import { Readiness, type Interest, type Ready } from '../../sys/readiness.js';
import { socketDescriptor } from '../../sys/socket-descriptor.js';
import { watchDescriptor } from '../../sys/watched-descriptors.js';
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
  readonly fd: number;
  readonly #owner: Socket | undefined;
  readonly #readiness: Readiness;
  #bytes: DirectBytes;
  #tls: TlsDescriptor | undefined;
  #user: EndUser | undefined;
  readonly #unwatch: () => void;
  #disposed = false;

  private constructor({ fd, unwatch }: Own, owner: Socket | undefined) {
    this.#owner = owner;
    this.fd = fd;
    this.#unwatch = unwatch;
    this.#bytes = plainBytes(fd);
    this.#readiness = new Readiness(fd, (ready) => this.#user?.onReady(ready));
    owner?.on('error', () => undefined).once('close', this.#onOwnerClosed);
    if (open.size === 0) process.once('exit', disposeOfAll);
    open.add(this);
  }

  /** Undefined if the socket is closed already, or this process or thread has no place for one more. */
  static on(owner: Socket): DirectEnd | undefined {
    const own = duplicateOf(owner);
    return own === undefined ? undefined : new DirectEnd(own, owner);
  }

  /**
   * Takes the connection away from a socket that has read and may go on to: it is destroyed, its connection is not. Undefined, and the socket untouched, if it holds
   * bytes that nobody took, is closed, or there is no place for one more.
   */
  static takeOver(socket: Socket): DirectEnd | undefined {
    const own = socket.pause().readableLength > 0 ? undefined : duplicateOf(socket);
    if (own === undefined) return undefined;
    socket.on('error', () => undefined).destroy();
    return new DirectEnd(own, undefined);
  }

  /** Its Node socket was destroyed, though nobody has heard of that yet. */
  get isGone(): boolean {
    return this.#disposed || this.#owner?.destroyed === true;
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
    this.#owner?.destroy();
  }

  /** Closes with a TCP reset: the peer can't take it for an end. */
  reset(): void {
    if (this.#disposed) return;
    if (this.#owner === undefined) resetOnClose(this.fd);
    else resetSocket(this.#owner);
    this.dispose();
  }

  /** Lets go of the connection, which stays the Node socket's alone. Idempotent. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#user = undefined;
    this.#owner?.off('close', this.#onOwnerClosed);
    this.#readiness.close();
    this.#bytes = noBytes;
    this.#tls?.free();
    this.#unwatch();
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

interface Own {
  readonly fd: number;
  readonly unwatch: () => void;
}

function duplicateOf(socket: Socket): Own | undefined {
  const theirs = socket.destroyed ? undefined : socketDescriptor(socket);
  if (theirs === undefined) return undefined;
  try {
    const fd = duplicateDescriptor(theirs);
    const unwatch = watchDescriptor(fd);
    if (unwatch !== undefined) return { fd, unwatch };
    closeDescriptor(fd);
    return undefined;
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}
