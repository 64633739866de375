// Which commands leave a session, in each phase. Whole conversations are in test/transcripts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KNOWN_VERBS, verbInfo } from '../../../daemon/ftp/verbs.js';
import { preludeCase } from '../../transcripts/files.js';
import { sessionAfter } from '../../transcripts/playback.js';

/** The line that a command causes to be sent to the server. */
function sent(prelude: string, line: string): string {
  const session = sessionAfter(preludeCase(prelude));
  return session
    .step({ kind: 'clientBytes', bytes: Buffer.from(`${line}\r\n`) })
    .map((effect) => (effect.kind === 'sendServer' ? Buffer.from(effect.bytes).toString() : ''))
    .join('');
}

describe('every verb of the table', () => {
  for (const verb of [...KNOWN_VERBS, 'XYZZY']) {
    it(`${verb} before protection`, () => {
      const expected = verbInfo(verb).harmless || verb === 'AUTH' ? `${verb} x\r\n` : 'AUTH TLS\r\n';
      assert.equal(sent('greeted', `${verb} x`), expected);
    });
    it(`${verb} while protection is under way`, () => {
      for (const prelude of ['negotiating', 'handshaking', 'judging', 'refused'])
        assert.equal(sent(prelude, `${verb} x`), '', prelude);
    });
    it(`${verb} while a transfer runs`, () => {
      const expected = verbInfo(verb).outOfBand ? `${verb} x\r\n` : '';
      assert.equal(sent('download', `${verb} x`), expected);
    });
  }
  it('ordinary ones are passed on as they are, once protected or in clear', () => {
    for (const verb of KNOWN_VERBS.filter((each) => verbInfo(each).role === 'simple'))
      for (const prelude of ['secured', 'cleartext'])
        assert.equal(sent(prelude, `${verb} x`), `${verb} x\r\n`, prelude);
  });
});
