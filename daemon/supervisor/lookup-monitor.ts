// Opens systemd-resolved's monitor for the proxy, which may not: the monitor speaks with root alone. Not a byte is read here.
import { connect, type Socket } from 'node:net';
import { Fault } from '../../shared/fault.js';

/** The monitor itself, and the way to it that the package's unit ftpseal-names.socket makes for a supervisor that is not root. */
const places = ['/run/systemd/resolve/io.systemd.Resolve.Monitor', '/run/ftpseal-names.socket'] as const;

/** A connection that nobody has read from. Rejects with a Fault of code `network` that says why there is none. */
export async function openLookups(): Promise<Socket> {
  let fault = new Fault('network', 'there is no systemd-resolved here, or it has no monitor');
  for (const place of places) {
    try {
      return await open(place);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') fault = new Fault('network', whyNot(place, codeOf(error)), error);
    }
  }
  throw fault;
}

function open(place: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(place);
    // It would begin to read by itself.
    socket.pause();
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

function whyNot(place: string, code: string): string {
  if (code === 'EACCES')
    return `${place} is for root; the package's unit ftpseal-names.socket is the way to it`;
  return `${place} can't be reached (${code})`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
