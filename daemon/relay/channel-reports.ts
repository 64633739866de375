// What a data channel tells of itself, on either side of ftpseal, and the events that a session hears of it.
import type { Endpoint } from '../../shared/endpoint.js';
import type { ChannelId, ChannelOutcome, Event } from '../ftp/events.js';

/** See the events of the same names. */
export interface ChannelReports {
  readonly onOffered: (endpoint: Endpoint) => void;
  readonly onClientConnected: () => void;
  readonly onServerReached: () => void;
  readonly onServerListening: (endpoint: Endpoint) => void;
  readonly onFailed: (leg: 'client' | 'server', reason: string) => void;
  readonly onSettled: (outcome: ChannelOutcome) => void;
}

export type ChannelEvent = Extract<Event, { readonly channel: ChannelId }>;

/** Reports of this channel as events of its session. */
export function reportsOf(channel: ChannelId, dispatch: (event: ChannelEvent) => void): ChannelReports {
  return {
    onOffered: (endpoint) => {
      dispatch({ kind: 'clientListening', channel, endpoint });
    },
    onClientConnected: () => {
      dispatch({ kind: 'clientConnected', channel });
    },
    onServerReached: () => {
      dispatch({ kind: 'serverReached', channel });
    },
    onServerListening: (endpoint) => {
      dispatch({ kind: 'serverListening', channel, endpoint });
    },
    onFailed: (leg, reason) => {
      dispatch({ kind: 'channelFailed', channel, leg, reason });
    },
    onSettled: (outcome) => {
      dispatch({ kind: 'dataSettled', channel, outcome });
    },
  };
}
