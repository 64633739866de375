// Which way callers reach the daemon on this system.
import type { IpcTransport } from './transport.js';

export async function ipcTransport(): Promise<IpcTransport> {
  if (process.platform === 'win32')
    return (await import('./windows/loopback-transport.js')).loopbackTransport;
  return (await import('./unix-transport.js')).unixTransport;
}
