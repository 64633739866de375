// T01: commands injected into the client's side of the server proxy, in front of AUTH and behind it, split at every byte.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  answerTo,
  INJECTED_COMMANDS,
  playCommands,
  VICTIM,
  type InjectionPlace,
} from './injection-commands.js';

const PLACES: readonly InjectionPlace[] = ['in front of AUTH', 'behind AUTH'];
const REQUIRED = ['none', 'secure', 'secure-data'] as const;
/** They change nothing at the backend, and it may have heard them before protection. */
const HARMLESS = /^(?:NOOP|FEAT|SYST|HELP)\b/i;

describe('T01 commands injected in clear', () => {
  const counts = { played: 0, secured: 0 };
  for (const place of PLACES) {
    for (const { name, bytes } of INJECTED_COMMANDS) {
      it(`T01 ${name} ${place}, split at every byte`, () => {
        for (const require of REQUIRED) {
          for (let cut = 1; ; cut += 1) {
            const came = playCommands(place, bytes, cut, require);
            if (came === undefined) break;
            counts.played += 1;
            if (came.secured) counts.secured += 1;
            check(came, `require ${require}, cut at ${cut}: ${JSON.stringify(came)}`);
          }
        }
      });
    }
  }
  it('were played at every cut, and some went on', () => {
    console.log(
      `injection: ${PLACES.length} places, ${INJECTED_COMMANDS.length} additions, ${counts.played} conversations, ${counts.secured} of them went on under TLS`,
    );
    assert.ok(counts.played > 2000 && counts.secured > 100 && counts.secured < counts.played);
  });
});

/** Where TLS was begun, the backend does what the client says there and nothing else, and each answer is the one to its command. */
function check(came: NonNullable<ReturnType<typeof playCommands>>, why: string): void {
  if (!came.secured) return;
  for (const line of came.before) assert.match(line, HARMLESS, why);
  assert.deepEqual(came.under, VICTIM.slice(2), why);
  const [bufferSize = '', level = '', ...others] = came.answers;
  assert.match(bufferSize, /^200 PBSZ=0/, why);
  assert.match(level, /^200 /, why);
  assert.deepEqual(others, VICTIM.slice(2).map(answerTo), why);
}
