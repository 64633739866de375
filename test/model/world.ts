// One session, what was promised about it, and what others owe it, after a number of moves. A world can't be copied: to get
// another one in the same state, the same moves are made again.
import type { Event } from '../../daemon/ftp/events.js';
import type { Session, SessionContext } from '../../daemon/ftp/session.js';
import { canonicalForm } from './canonical.js';
import { Monitor } from './monitor.js';
import { insideOf } from './opened.js';
import { SAFETP_NAME } from './stand-in-safetp.js';
import { Debts } from './willing-world.js';

export interface Move {
  readonly label: string;
  readonly event: Event;
}

export interface World {
  readonly session: Session;
  readonly monitor: Monitor;
  readonly debts: Debts;
  /** X-SafeTP1 may be used. */
  readonly safetp: boolean;
}

/** Where a walk begins: a context, and the events that lead to the first state. */
export interface Root {
  readonly name: string;
  readonly context: SessionContext;
  readonly events: readonly Event[];
}

export interface Rules {
  readonly honest: boolean;
  readonly create: (context: SessionContext) => Session;
  readonly moves: (world: World) => readonly Move[];
}

export function worldAt(root: Root, { create, honest }: Rules): World {
  const session = create(root.context);
  const monitor = new Monitor(root.context, { honest });
  const debts = new Debts(root.context.policy.mode === 'implicit');
  const safetp = root.context.policy.tls.mechanisms.includes(SAFETP_NAME);
  const world = { session, monitor, debts, safetp };
  const effects = session.start();
  debts.note({ kind: 'timer', timer: 'linger' }, effects);
  monitor.observe(session, undefined, effects);
  for (const event of root.events) step(world, event);
  return world;
}

/** Throws when a promise is broken. True if the session answered with something. */
export function step({ session, monitor, debts }: World, event: Event): boolean {
  if (event.kind === 'clientBytes')
    monitor.awaited += commandsIn(Buffer.from(event.bytes).toString('latin1'));
  const effects = session.step(event);
  debts.note(event, effects);
  monitor.observe(session, event, effects);
  return effects.length > 0;
}

/** All that makes a difference for what comes. */
export function stateOf({ session, monitor, debts }: World, { honest }: Rules): string {
  if (monitor.over) return session.phase;
  const { channels } = insideOf(session);
  const books = honest ? debts.key(channels) : '';
  return `${canonicalForm(session, channels)}#${monitor.key(channels)}#${books}`;
}

function commandsIn(text: string): number {
  return text.split('\r\n').filter((line) => line.trim() !== '').length;
}
