// The session with its fields open (see open-fields.ts), and the few of them that the model check looks at.
import { register } from 'node:module';
import type { Session, SessionContext } from '../../daemon/ftp/session.js';

interface OpenedFields {
  readonly _$control: {
    readonly commands: {
      readonly _$held: readonly unknown[];
      readonly _$done: number;
      readonly _$bytes: number;
    };
    readonly pairing: { readonly size: number; readonly due: { readonly verb: string } | undefined };
    readonly outbox: { readonly _$behind: readonly unknown[]; readonly _$behindBytes: number };
    readonly replies: { readonly pending: number; readonly midReply: boolean };
    readonly lines: object | undefined;
  };
  readonly _$conversation: {
    readonly transfer: { readonly _$arrangement: { readonly _$channels: number } };
  };
}

/** How much of everything waits in a session. */
export interface Inside {
  readonly heldCommands: number;
  readonly heldBytes: number;
  readonly outstanding: number;
  /** Our own command that the server has to answer now. */
  readonly due: string | undefined;
  readonly behind: number;
  readonly behindBytes: number;
  readonly repliesPending: number;
  readonly midReply: boolean;
  /** Lines are protected one by one. */
  readonly sealed: boolean;
  /** The number of the newest channel. */
  readonly channels: number;
}

export function insideOf(session: Session): Inside {
  const { _$control: control, _$conversation: conversation } = session as unknown as OpenedFields;
  return {
    heldCommands: control.commands._$held.length - control.commands._$done,
    heldBytes: control.commands._$bytes,
    outstanding: control.pairing.size,
    due: control.pairing.due?.verb,
    behind: control.outbox._$behind.length,
    behindBytes: control.outbox._$behindBytes,
    repliesPending: control.replies.pending,
    midReply: control.replies.midReply,
    sealed: control.lines !== undefined,
    channels: conversation.transfer._$arrangement._$channels,
  };
}

/** Loads the core with open fields; nothing of daemon/ftp may have been loaded in this process before. */
export async function loadOpenedCore(): Promise<(context: SessionContext) => Session> {
  register('./open-fields.js', import.meta.url);
  const { Session: Opened } = await import('../../daemon/ftp/session.js');
  return (context) => {
    const session = new Opened(context);
    if (!('_$control' in session)) throw new Error('the core was loaded before its fields were opened');
    return session;
  };
}
