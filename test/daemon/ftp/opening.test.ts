// What the first bytes of either side make of a session. Whole conversations are in test/transcripts/greeting.txt.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Session, type SessionContext } from '../../../daemon/ftp/session.js';
import type { Phase } from '../../../daemon/ftp/state.js';
import { DEFAULT_CONTEXT } from '../../transcripts/scenario.js';

const KNOWN: SessionContext = { ...DEFAULT_CONTEXT, knownSecure: true };
const EXPLICIT: SessionContext = { ...DEFAULT_CONTEXT, greeting: 'swallow', dataPath: 'proxied' };

function phaseAfter(context: SessionContext, side: 'clientBytes' | 'serverBytes', text: string): Phase {
  const session = new Session(context);
  session.start();
  session.step({ kind: 'serverConnected' });
  session.step({ kind: side, bytes: Buffer.from(text, 'latin1') });
  return session.phase;
}

describe('the first bytes', () => {
  const table: readonly (readonly ['clientBytes' | 'serverBytes', string, Phase, Phase, Phase])[] = [
    // side, bytes, then: unknown server, known to be secure, explicit proxy
    ['serverBytes', '220 hi\r\n', 'plain', 'plain', 'plain'],
    ['serverBytes', '22', 'greeting', 'greeting', 'greeting'],
    ['serverBytes', '220-hi\r\nnonsense', 'greeting', 'greeting', 'greeting'],
    ['serverBytes', '421 no\r\n', 'closed', 'closed', 'closed'],
    ['serverBytes', '\r\n', 'greeting', 'greeting', 'greeting'],
    ['serverBytes', 'n', 'passthrough', 'closed', 'closed'],
    ['serverBytes', '\x16\x03', 'passthrough', 'closed', 'closed'],
    ['serverBytes', '999 x\r\n', 'passthrough', 'closed', 'closed'],
    ['clientBytes', 'USER x\r\n', 'greeting', 'greeting', 'greeting'],
    ['clientBytes', 'US', 'greeting', 'greeting', 'greeting'],
    ['clientBytes', '\r\n', 'greeting', 'greeting', 'greeting'],
    ['clientBytes', '\x16\x03', 'passthrough', 'greeting', 'greeting'],
    ['clientBytes', 'GET / HTTP/1.0\r\n', 'passthrough', 'greeting', 'greeting'],
  ];
  for (const [side, text, unknown, known, explicit] of table) {
    it(`${side} ${JSON.stringify(text)}`, () => {
      const phases = [DEFAULT_CONTEXT, KNOWN, EXPLICIT].map((context) => phaseAfter(context, side, text));
      assert.deepEqual(phases, [unknown, known, explicit]);
    });
  }
});
