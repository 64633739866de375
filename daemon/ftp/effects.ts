// Everything a session may ask of the driver, in order. The driver carries out and decides nothing.
import type { Endpoint, Port } from '../../shared/endpoint.js';
import type { Question } from '../../shared/trust.js';
import type { DataProtection } from '../security/mechanism.js';
import type { ChannelId, TimerName } from './events.js';

/** How a data leg towards the server is protected. */
export type LegProtection = 'private' | 'clear';

/** What is worth knowing about a server: EPSV is refused; its passive ports can be reached; it agreed to TLS. */
export type ServerFact = 'noEpsv' | 'passiveWorks' | 'tlsBegan';

export type Effect =
  /** Connect to the server, at `port` of the original destination's address. Answered by serverConnected or serverFailed. */
  | { readonly kind: 'dial'; readonly port: Port }
  /** Drop the connection to the server without a word; a later `dial` makes a new one. */
  | { readonly kind: 'hangUpServer' }
  | { readonly kind: 'sendClient'; readonly bytes: Uint8Array }
  | { readonly kind: 'sendServer'; readonly bytes: Uint8Array }
  /** Begin TLS on the server's connection. `servername` is a name, never an address. */
  | { readonly kind: 'startTls'; readonly servername: string | undefined }
  | { readonly kind: 'ask'; readonly question: Question }
  /** From here on both connections are relayed byte for byte, and no event comes any more. */
  | { readonly kind: 'tunnel' }
  /** Flush what was sent to the client, end both connections and drop all channels. No event comes any more. */
  | { readonly kind: 'close' }
  | { readonly kind: 'setTimer'; readonly timer: TimerName; readonly ms: number }
  | { readonly kind: 'clearTimer'; readonly timer: TimerName }
  /** Find an endpoint at which the client can open its data connection. */
  | { readonly kind: 'listenForClient'; readonly channel: ChannelId }
  /** Connect to the client's data port, from the server's own address and port 20 where the redirect layer can. */
  | { readonly kind: 'connectClient'; readonly channel: ChannelId; readonly to: Endpoint }
  | {
      readonly kind: 'connectServer';
      readonly channel: ChannelId;
      readonly to: Endpoint;
      readonly protection: LegProtection;
    }
  | { readonly kind: 'listenForServer'; readonly channel: ChannelId; readonly protection: LegProtection }
  /**
   * The transfer command was sent. TLS on the server's leg begins with `relay`, when the server has accepted the transfer; this
   * is for servers that want it before they answer: after a moment it begins anyway.
   */
  | { readonly kind: 'secureSoon'; readonly channel: ChannelId }
  /** The data of the transfer that now begins goes in protected blocks instead of TLS. Comes before `secureSoon` and `relay`. */
  | {
      readonly kind: 'useBlocks';
      readonly channel: ChannelId;
      readonly blocks: DataProtection;
      readonly direction: 'download' | 'upload';
    }
  /** Move the transfer's bytes as soon as both legs stand. */
  | { readonly kind: 'relay'; readonly channel: ChannelId; readonly direction: 'download' | 'upload' }
  /** The server says that the transfer is over: if nothing moves any more for a while, settle it as truncated. */
  | { readonly kind: 'expectEnd'; readonly channel: ChannelId }
  /** Let go of the channel; legs that still run are reset. */
  | { readonly kind: 'discard'; readonly channel: ChannelId }
  /** A fact about the server worth remembering for its next sessions. */
  | { readonly kind: 'remember'; readonly fact: ServerFact };
