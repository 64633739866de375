// Events and effects of a server proxy's session. The backend's side and the data channels speak as in daemon/ftp; what is new
// is that protection is the client's matter here.
import type { Effect, LegProtection } from '../../ftp/effects.js';
import type { Event, TimerName } from '../../ftp/events.js';

/** One of each name at a time. */
export type ServeTimer = TimerName | 'login' | 'held';

export type ServeEvent =
  | Exclude<Event, { readonly kind: 'tlsEstablished' | 'tlsFailed' | 'decided' | 'timer' }>
  | { readonly kind: 'timer'; readonly timer: ServeTimer }
  /** Answers `secureClient`. A handshake that fails ends the session without a word. */
  | { readonly kind: 'clientSecured' }
  /** Answers `awaitTurn`. */
  | { readonly kind: 'turn' };

type Passed = Extract<
  Effect,
  {
    readonly kind:
      | 'hangUpServer'
      | 'sendClient'
      | 'sendServer'
      | 'close'
      | 'listenForClient'
      | 'connectClient'
      | 'expectEnd'
      | 'discard'
      | 'useBlocks'
      | 'remember';
  }
>;
type OnChannel = Extract<Effect, { readonly kind: 'connectServer' | 'listenForServer' | 'relay' }>;

export type ServeEffect =
  | Passed
  /** Connect to the backend. Answered by serverConnected or serverFailed. */
  | { readonly kind: 'dial' }
  /** Begin TLS, as the server, on the client's connection: what it has sent and was not read yet belongs to the handshake. */
  | { readonly kind: 'secureClient' }
  /** The next command costs public-key operations: go on when it is this connection's turn. Answered by `turn`. */
  | { readonly kind: 'awaitTurn' }
  /** Every line to and from the client is protected from here on, by the session itself. */
  | { readonly kind: 'linesSecured' }
  | { readonly kind: 'setTimer'; readonly timer: ServeTimer; readonly ms: number }
  | { readonly kind: 'clearTimer'; readonly timer: ServeTimer }
  | Omit<Extract<OnChannel, { readonly kind: 'connectServer' }>, 'protection'>
  | Omit<Extract<OnChannel, { readonly kind: 'listenForServer' }>, 'protection'>
  /** Move the transfer's bytes as soon as both legs stand; `protection` is the client's leg's. */
  | (Extract<OnChannel, { readonly kind: 'relay' }> & { readonly protection: LegProtection });
