// How long the kernel goes on sending to a peer that answers nothing: after a cable is out, a VPN gone, an address changed.
import type { Socket } from 'node:net';
import { setSocketOption } from '../sys/libc.js';
import { socketDescriptor } from '../sys/socket-descriptor.js';

/** Milliseconds of silence on a control connection after which the kernel asks whether the peer still lives. */
export const KEEP_ALIVE_MS = 120_000;
/**
 * Milliseconds that sent bytes, or the question above, may stay without any answer. Linux by itself waits a quarter of an hour for
 * sent bytes. Half a minute more than the silence, because the kernel counts from the last answer.
 */
const UNANSWERED_MS = 150_000;

const IPPROTO_TCP = 6;
const TCP_USER_TIMEOUT = 18;

/**
 * A peer that can't be reached any more ends the connection in bounded time. For control connections alone: a data connection whose
 * receiver takes nothing for minutes is alive, and the session ends it with its control connection.
 */
export function limitSilence(socket: Socket): void {
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  // Windows gives up on its own after half a minute.
  if (process.platform !== 'linux') return;
  const fd = socketDescriptor(socket);
  if (fd !== undefined) setSocketOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNANSWERED_MS);
}
