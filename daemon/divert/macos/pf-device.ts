// The kernel's end of pf: the device /dev/pf and the one call that Node lacks, ioctl(2), through koffi. macOS lets root alone use
// it. Unrun on a Mac (docs/macos.md).
import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { Fault } from '../../../shared/fault.js';

export interface PfDevice {
  /** ioctl(2), the answer in place of the question; returns 0 or the errno. */
  ask(request: number, argument: Buffer): number;
  close(): void;
}

let ioctl: ((...args: unknown[]) => unknown) | undefined;

/** Throws a Fault of code `not-permitted` or `missing-tool`. */
export function openPfDevice(path = '/dev/pf'): PfDevice {
  const descriptor = open(path);
  // With "...": Apple's processors pass what comes after the named arguments in another place.
  ioctl ??= koffi.load(null).func('int ioctl(int fd, unsigned long request, ...)');
  const call = ioctl;
  return {
    ask: (request, argument) => (call(descriptor, request, 'void *', argument) === 0 ? 0 : koffi.errno()),
    close: () => {
      closeSync(descriptor);
    },
  };
}

function open(path: string): number {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    const denied = error instanceof Error && 'code' in error && error.code !== 'ENOENT';
    throw denied
      ? new Fault(
          'not-permitted',
          `Only root may ask pf where a connection was going (${path}): use sudo.`,
          error,
        )
      : new Fault(
          'missing-tool',
          `This system has no pf (${path}), so connections can’t be redirected.`,
          error,
        );
  }
}
