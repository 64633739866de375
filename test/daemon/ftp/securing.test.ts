// In which phases an answer or a handshake may change anything. The road itself is in test/transcripts/securing.txt and clear.txt.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Event } from '../../../daemon/ftp/events.js';
import { preludeCase } from '../../transcripts/files.js';
import { IDENTITY } from '../../transcripts/notation.js';
import { sessionAfter } from '../../transcripts/playback.js';

const allow: Event = { kind: 'decided', decision: { kind: 'allow' } };
const refuse: Event = { kind: 'decided', decision: { kind: 'refuse', sentence: 'no' } };
const established: Event = { kind: 'tlsEstablished', identity: IDENTITY };

/** The phase after an event; `same` when nothing happened at all. */
function after(prelude: string, event: Event): string {
  const session = sessionAfter(preludeCase(prelude));
  const before = session.phase;
  const effects = session.step(event);
  return session.phase === before && effects.length === 0 ? 'same' : session.phase;
}

describe('an answer counts only where a question is open', () => {
  const table: readonly (readonly [string, string, string, string])[] = [
    // prelude, allow, refuse, TLS established
    ['greeted', 'same', 'same', 'same'],
    ['negotiating', 'same', 'same', 'same'],
    ['handshaking', 'same', 'same', 'judgingKey'],
    ['judging', 'secured', 'closed', 'same'],
    ['protected', 'same', 'same', 'same'],
    ['secured', 'same', 'same', 'same'],
    ['refused', 'cleartext', 'closed', 'same'],
    ['cleartext', 'same', 'same', 'same'],
    ['download', 'same', 'same', 'same'],
  ];
  for (const [prelude, onAllow, onRefuse, onEstablished] of table) {
    it(prelude, () => {
      assert.deepEqual(
        [after(prelude, allow), after(prelude, refuse), after(prelude, established)],
        [onAllow, onRefuse, onEstablished],
      );
    });
  }
});

it('the identity is known to the view from the handshake on', () => {
  const session = sessionAfter(preludeCase('handshaking'));
  assert.equal(session.view().identity, undefined);
  session.step(established);
  assert.deepEqual(session.view().identity, IDENTITY);
});
