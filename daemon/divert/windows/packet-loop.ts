// The packet loop: reads a batch, lets the engine judge it, carries the verdicts out. Runs in a thread of its own, because it
// waits inside system calls.
import type { PacketSource } from './packet-source.js';
import type { Reflection } from './reflection.js';

/** Milliseconds between two looks for expired connections, and the longest wait for a packet. */
const SWEEP_MS = 5000;
/** Batches that are still carried out at a stop: what the ended sessions owe their clients, and not whatever comes meanwhile. */
const LAST_BATCHES = 64;

export interface PacketLoopOptions {
  readonly source: PacketSource;
  readonly reflection: Reflection;
  /** Carries out what the main thread has said since the last call; `stop` ends the loop once no packet is left, soon in any case. */
  readonly obey: () => 'go-on' | 'stop';
  /** Milliseconds; never goes back. */
  readonly now: () => number;
}

/** Returns when `obey` said so and everything that was under way has been carried out, or when the source has ended. */
export function runPacketLoop({ source, reflection, obey, now }: PacketLoopOptions): void {
  let sweptAt = now();
  let isStopping = false;
  for (let left = LAST_BATCHES; left > 0; left -= isStopping ? 1 : 0) {
    const count = source.receive(isStopping ? 0 : SWEEP_MS);
    if (count === undefined || (isStopping && count === 0)) return;
    // Before the batch is judged: what was ordered before a packet was sent holds for that packet.
    isStopping = obey() === 'stop' || isStopping;
    const time = now();
    if (count > 0) judgeBatch(source, reflection, count, time);
    if (time - sweptAt < SWEEP_MS) continue;
    reflection.sweep(time);
    sweptAt = time;
  }
}

function judgeBatch(source: PacketSource, reflection: Reflection, count: number, now: number): void {
  const { bytes, offsets, lengths } = source.batch;
  for (let index = 0; index < count; index += 1) {
    const verdict = reflection.translate(bytes, offsets[index] ?? 0, lengths[index] ?? 0, now, source.duty);
    if (verdict === 'reflect') source.reflect(index);
    else if (verdict === 'pass') source.pass(index);
  }
  source.flush();
}
