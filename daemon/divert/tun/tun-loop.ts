// A packet loop over a TUN device: opens the files and starts the loop's thread.
import { Fault } from '../../../shared/fault.js';
import { ErrnoError } from '../../sys/libc.js';
import { AF_INET, AF_INET6 } from '../../sys/sockaddr.js';
import { LoopHost } from '../windows/loop-host.js';
import { closeFile, openRawSocket, openTun, openWakeup, wake } from './kernel.js';
import { PASSED } from './tun-rules.js';
import type { TunFiles } from './tun-source.js';

const entry = new URL('./tun-thread.js', import.meta.url);

export interface TunLoop {
  readonly host: LoopHost;
  /** The device's name; it goes when the loop is stopped. */
  readonly device: string;
}

/** Throws a Fault of code `not-permitted`, `missing-tool` or `redirect`. */
export function openTunLoop(onFailure: (fault: Fault) => void): TunLoop {
  const { files, name } = openFiles();
  const wakeUp = (): void => {
    wake(files.wakeup);
  };
  const host = new LoopHost({
    entry,
    data: { files },
    wake: wakeUp,
    release: wakeUp,
    close: () => {
      for (const fd of [files.tun, files.wakeup, files.raw4, files.raw6]) closeFile(fd);
    },
    onFailure,
    ownBy: 'user',
  });
  return { host, device: name };
}

function openFiles(): { readonly files: TunFiles; readonly name: string } {
  const opened: number[] = [];
  const keep = (fd: number): number => {
    opened.push(fd);
    return fd;
  };
  try {
    const { fd, name } = openTun('ftpseal%d');
    const tun = keep(fd);
    const wakeup = keep(openWakeup());
    const raw4 = keep(openRawSocket(AF_INET, PASSED));
    const raw6 = keep(openRawSocket(AF_INET6, PASSED));
    return { files: { tun, wakeup, raw4, raw6 }, name };
  } catch (error) {
    for (const fd of opened) closeFile(fd);
    throw openFault(error);
  }
}

const EPERM = 1;
const EACCES = 13;

function openFault(error: unknown): Fault {
  if (!(error instanceof ErrnoError)) return Fault.from(error, 'redirect');
  if (error.errno === EPERM || error.errno === EACCES) {
    return new Fault('not-permitted', 'A TUN device can’t be made without root rights.', error);
  }
  return error.call === 'open'
    ? new Fault(
        'missing-tool',
        'This kernel has no TUN devices (/dev/net/tun), which divert.layer = "tun" needs.',
        error,
      )
    : new Fault('redirect', `A TUN device can’t be made: ${error.message}.`, error);
}
