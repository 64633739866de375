// What must not end a process that stays, nor open it to others.

/**
 * No debugger by signal: Node's listens on loopback, and whoever reaches it there is this process, root or not. And no end
 * because a terminal or the reader of a log has gone: what is said from then on is lost, the work goes on.
 */
export function outlastSurroundings(): void {
  process.on('SIGUSR1', () => undefined);
  process.stderr.on('error', () => undefined);
}
