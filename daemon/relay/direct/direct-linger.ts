// The end of a connection after our last word: its peer may still have to read, and closing with its bytes unread would reset it.
import { NativeBuffer } from '../../sys/native-buffer.js';
import { receiveAt } from '../../sys/libc.js';
import type { DirectEnd } from './direct-end.js';

/** Reads at once; a peer that goes on sending does not keep the thread. */
const READS = 16;

/** What comes here is thrown away. */
export const discarded = new NativeBuffer(64 * 1024);

/** Closes when the peer has, at the latest after so many milliseconds. */
export function lingerDirectly(end: DirectEnd, milliseconds: number): void {
  if (look(end) === 'over') {
    end.close();
    return;
  }
  const close = (): void => {
    clearTimeout(timer);
    end.close();
  };
  const timer = setTimeout(close, milliseconds);
  timer.unref();
  end.use({
    onReady: () => {
      if (look(end) === 'over') close();
    },
    onGone: () => {
      clearTimeout(timer);
    },
  });
  end.want('readable');
}

/** Whatever TLS there was has said its last; these are bytes of TCP. */
function look(end: DirectEnd): 'open' | 'over' {
  for (let reads = 0; reads < READS; reads += 1) {
    const count = receiveAt(end.fd, discarded, 0, discarded.size);
    if (count === 'nothing') return 'open';
    if (count === 0 || count === 'broken') return 'over';
  }
  return 'open';
}
