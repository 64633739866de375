// Everything that can happen to a session. Events are the only way in: the core reads no socket, clock or file.
import type { Endpoint } from '../../shared/endpoint.js';
import type { Decision, ServerIdentity } from '../../shared/trust.js';
import type { DataOutcome } from './data-outcome.js';

/** Names one data channel (a client leg and a server leg) of a session; never used twice. */
export type ChannelId = number & { readonly __brand: 'ChannelId' };

/** The timers a session may ask for; one of each name at a time. */
export type TimerName = 'negotiation' | 'handshake' | 'answer' | 'linger';

export type Event =
  | { readonly kind: 'serverConnected' }
  | { readonly kind: 'serverFailed'; readonly reason: string }
  | { readonly kind: 'clientBytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'clientClosed' }
  | { readonly kind: 'serverBytes'; readonly bytes: Uint8Array }
  /** The server's side ended: in order, cut off without a close_notify, or reset. */
  | { readonly kind: 'serverClosed'; readonly how: 'ended' | 'truncated' | 'reset' }
  | { readonly kind: 'tlsEstablished'; readonly identity: ServerIdentity }
  | { readonly kind: 'tlsFailed'; readonly reason: string }
  | { readonly kind: 'decided'; readonly decision: Decision }
  | { readonly kind: 'timer'; readonly timer: TimerName }
  /** Answers `listenForClient`: what the client is told to connect to. */
  | { readonly kind: 'clientListening'; readonly channel: ChannelId; readonly endpoint: Endpoint }
  /** The client's leg of the channel stands. */
  | { readonly kind: 'clientConnected'; readonly channel: ChannelId }
  /** Answers `connectServer` where it succeeded: the server's port was reached. */
  | { readonly kind: 'serverReached'; readonly channel: ChannelId }
  /** Answers `listenForServer`: what the server is told to connect to. */
  | { readonly kind: 'serverListening'; readonly channel: ChannelId; readonly endpoint: Endpoint }
  /** A leg of the channel can't be had; `relay` was not asked for yet, or the outcome follows in `dataSettled`. */
  | {
      readonly kind: 'channelFailed';
      readonly channel: ChannelId;
      readonly leg: 'client' | 'server';
      readonly reason: string;
    }
  /** Answers `relay`, exactly once, unless the channel was discarded. */
  | { readonly kind: 'dataSettled'; readonly channel: ChannelId; readonly outcome: ChannelOutcome };

/** How a transfer's data ended: as the pump saw it, or a leg that never stood. */
export type ChannelOutcome =
  DataOutcome | { readonly kind: 'legFailed'; readonly leg: 'client' | 'server'; readonly reason: string };
