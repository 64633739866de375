// How the bytes of one end of a direct transfer go in and out: in clear, or through TLS. Nothing here waits.
import type { NativeBuffer } from '../../sys/native-buffer.js';
import { endWriting, pendingError, receiveAt, sendAt } from '../../sys/libc.js';
import type { Received, TlsDescriptor, Waiting } from '../../sys/tls-descriptor.js';

/** One end's bytes. `broken` is final; so are `ended` and `cut`, for what is received. */
export interface DirectBytes {
  /** The peer's last word can be told from a connection that was cut: nothing that it sends behind it counts, and it takes nothing more. */
  readonly isProvable: boolean;
  /** At most `length` bytes, to `at`. `ended`: the peer said that this is all, as well as it can (close_notify, or else a FIN). */
  readonly receive: (into: NativeBuffer, at: number, length: number) => Received;
  /** How many of the bytes at `at` were taken. */
  readonly send: (from: NativeBuffer, at: number, length: number) => number | Waiting | 'broken';
  /** Whether all that was taken has left. */
  readonly flush: () => 'done' | Waiting | 'broken';
  /** The last word: close_notify, then FIN. Again after it waited. */
  readonly finish: () => 'done' | Waiting | 'broken';
}

/** Of a connection that was let go of: its descriptor's number may be another connection's by now. */
export const noBytes: DirectBytes = {
  isProvable: false,
  receive: () => 'broken',
  send: () => 'broken',
  flush: () => 'broken',
  finish: () => 'broken',
};

/** The bytes of a descriptor as they are. */
export function plainBytes(fd: number): DirectBytes {
  return {
    isProvable: false,
    receive: (into, at, length) => {
      const count = receiveAt(fd, into, at, length);
      if (count === 'nothing') return 'waitsToRead';
      // A reset behind the FIN: the client gave up, and what it sent may lack what the kernel threw away.
      if (count === 0) return pendingError(fd) === 0 ? 'ended' : 'broken';
      return count;
    },
    send: (from, at, length) => {
      const count = sendAt(fd, from, at, length);
      return count === 'nothing' ? 'waitsToWrite' : count;
    },
    flush: () => 'done',
    finish: () => (endWriting(fd) ? 'done' : 'broken'),
  };
}

/** The plain text of a TLS connection on this descriptor. */
export function tlsBytes(fd: number, tls: TlsDescriptor): DirectBytes {
  return {
    isProvable: true,
    receive: (into, at, length) => tls.read(into, at, length),
    send: (from, at, length) => tls.write(from, at, length),
    flush: () => tls.flush(),
    finish: () => {
      const said = tls.closeNotify();
      if (said !== 'done') return said;
      return endWriting(fd) ? 'done' : 'broken';
    },
  };
}
