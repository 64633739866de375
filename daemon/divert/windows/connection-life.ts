// What a packet does to the state of its connection in the table, and how long a connection stays there by its state.
import { CLIENT_FIN, PROXY_FIN, STATE, type ConnectionTable, type Slot } from './connection-table.js';
import { ACK, FIN, RST, SYN } from './segment.js';

const minute = 60_000;
/** Milliseconds that a connection stays in the table after its last packet, by state. */
const TIME_OUT = {
  syn: 75_000,
  established: 120 * minute,
  halfClosed: 10 * minute,
  closed: 130_000,
  reset: 10_000,
};

/** Takes one more packet, of the side with this bit of `fins`, into the connection's state. */
export function notePacket(
  table: ConnectionTable,
  slot: Slot,
  flags: number,
  side: typeof CLIENT_FIN | typeof PROXY_FIN,
  now: number,
): void {
  if ((flags & RST) !== 0) {
    table.state[slot] = STATE.reset;
  } else if ((flags & FIN) !== 0) {
    const fins = (table.fins[slot] ?? 0) | side;
    table.fins[slot] = fins;
    table.state[slot] = fins === (CLIENT_FIN | PROXY_FIN) ? STATE.closed : STATE.halfClosed;
  } else if ((flags & (SYN | ACK)) === ACK && isProvisional(table.state[slot])) {
    // A reset that the other side did not believe leaves the connection as it was.
    table.state[slot] = openState(table.fins[slot] ?? 0);
  }
  table.expires[slot] = expiryOf(table, slot, now);
}

/**
 * When a connection whose last packet came at `now` may be forgotten. A client that has not sent its FIN may send more at any time;
 * were its connection forgotten, that would leave in clear: a pinned one has no end.
 */
export function expiryOf(table: ConnectionTable, slot: Slot, now: number): number {
  const { state, fins, pinned } = table;
  const isOpen = ((fins[slot] ?? 0) & CLIENT_FIN) === 0;
  switch (state[slot]) {
    case STATE.established:
      return pinned[slot] === 1 ? Infinity : now + TIME_OUT.established;
    case STATE.halfClosed:
      return pinned[slot] === 1 && isOpen ? Infinity : now + TIME_OUT.halfClosed;
    case STATE.closed:
      return now + TIME_OUT.closed;
    case STATE.reset:
      return now + TIME_OUT.reset;
    default:
      return now + TIME_OUT.syn;
  }
}

/** Both ends are done with it, or one has broken it off. */
export function isOver(table: ConnectionTable, slot: Slot): boolean {
  const state = table.state[slot];
  return state === STATE.closed || state === STATE.reset;
}

function isProvisional(state: number | undefined): boolean {
  return state === STATE.syn || state === STATE.reset;
}

function openState(fins: number): number {
  return fins === 0 ? STATE.established : fins === (CLIENT_FIN | PROXY_FIN) ? STATE.closed : STATE.halfClosed;
}
