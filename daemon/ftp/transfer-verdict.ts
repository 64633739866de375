// What the client hears in place of the server's success when its data did not come through whole.
import type { ChannelOutcome } from './events.js';
import { ownReply, sentences } from './sentences.js';
import type { Settlement } from './state.js';

/** The reply line with its CRLF. */
export function verdictOn(
  settlement: Exclude<Settlement, 'wait' | 'forward'>,
  outcome: ChannelOutcome | undefined,
): string {
  switch (settlement) {
    case 'aborted':
      return ownReply(426, sentences.aborted());
    case 'truncated':
      return ownReply(426, sentences.truncated());
    case 'incomplete':
      return ownReply(426, sentences.incomplete());
    case 'noData':
      return ownReply(425, sentences.noData(outcome?.kind === 'legFailed' ? outcome.reason : 'unknown'));
  }
}
