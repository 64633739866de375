// The states of a session and every transition between them.
// Rule 1: everything that changes the phase of a session goes through `advance` in this file; a transition that is not in
// the table is a bug and throws. Rule 2: nothing here knows a socket, a line or a policy.
//
// A session is three machines side by side: the control connection's phase (below), the data protection of the server's
// side (daemon/ftp/protection.ts) and the transfer (daemon/ftp/transfer.ts). Where two of them meet, `settleTransfer` decides.
import type { ChannelOutcome } from './events.js';

export type Phase =
  | 'connecting' // dialling the server
  | 'greeting' // waiting for 220
  | 'plain' // nothing secret was said yet; harmless commands pass in clear
  | 'clientAuth' // the client sent AUTH itself and waits for the answer
  | 'clientAgreed' // the server said yes to the client's AUTH; the client's first bytes must be a TLS handshake
  | 'negotiating' // our own AUTH is out
  | 'handshaking' // TLS is being set up; no byte of it reaches the core
  | 'judgingKey' // the server's key waits for a verdict
  | 'proving' // the key was accepted; a mechanism without TLS goes on
  | 'judgingClear' // no mechanism was accepted; may this session go on in clear?
  | 'reconnecting' // the server hung up on AUTH; clear was allowed, so once more without AUTH
  | 'secured'
  | 'cleartext'
  | 'passthrough' // not FTP, as far as one can see; watched
  | 'tunnel' // the driver relays bytes; final for the core
  | 'closed';

const TRANSITIONS: Readonly<Record<Phase, readonly Phase[]>> = {
  connecting: ['greeting', 'handshaking', 'tunnel', 'closed'],
  greeting: ['plain', 'secured', 'passthrough', 'closed'],
  plain: ['clientAuth', 'negotiating', 'judgingClear', 'closed'],
  clientAuth: ['clientAgreed', 'passthrough', 'plain', 'cleartext', 'closed'],
  clientAgreed: ['tunnel', 'closed'],
  negotiating: ['handshaking', 'judgingKey', 'judgingClear', 'closed'],
  handshaking: ['judgingKey', 'closed'],
  judgingKey: ['secured', 'proving', 'greeting', 'closed'],
  proving: ['secured', 'closed'],
  judgingClear: ['cleartext', 'reconnecting', 'closed'],
  reconnecting: ['cleartext', 'closed'],
  secured: ['closed'],
  cleartext: ['clientAuth', 'judgingClear', 'closed'],
  passthrough: ['plain', 'closed'],
  tunnel: ['closed'],
  closed: [],
};

/** The next phase; throws when the table does not allow it (a bug of the core, never of a peer). */
export function advance(from: Phase, to: Phase): Phase {
  if (!TRANSITIONS[from].includes(to)) throw new Error(`no transition from ${from} to ${to}`);
  return to;
}

/** What becomes of the server's final 2yz reply to a transfer, given how its data stands. */
export type Settlement = 'wait' | 'forward' | 'truncated' | 'incomplete' | 'noData' | 'aborted';

/** How the data of a transfer stands. */
export interface DataStanding {
  readonly direction: 'download' | 'upload';
  /** Undefined while it moves. */
  readonly outcome: ChannelOutcome | undefined;
  /** The client sent ABOR: it need not read its data to the end any more. */
  readonly aborted: boolean;
}

/**
 * The joint table of the server's word (a final 2yz) and the data's end. A success reaches the client only
 * when the bytes arrived whole: the reply could come from a server that never saw the cut.
 */
export function settleTransfer({ direction, outcome, aborted }: DataStanding): Settlement {
  switch (outcome?.kind) {
    case undefined:
      return aborted ? 'aborted' : 'wait';
    case 'complete':
      return 'forward';
    case 'truncated':
      return 'truncated';
    case 'clientGone':
      return direction === 'download' ? 'forward' : 'incomplete';
    case 'serverGone':
      return 'incomplete';
    case 'legFailed':
      return 'noData';
  }
}
