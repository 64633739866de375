// What the server proxy's session waits for, and for how long; what it takes at most.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { greeted, inside, secured } from './conversations.js';
import { play } from './playback.js';

describe('bounds', () => {
  it('no login in time', () => {
    play(
      {},
      `${greeted}\ntimer login\n> C: 421 ftpseal: no login came in time; the connection was closed.\n> close`,
    );
  });

  it('no handshake in time: not a word in clear', () => {
    const begun = secured('TLS').split('client secured')[0] ?? '';
    play({}, `${begun}timer handshake\n> close`);
    play({}, `${begun}C: USER bo\n> close`);
    play({}, `${begun}client closed\n> close`);
  });

  it('a command line without end', () => {
    const session = play({}, greeted);
    const effects = session.step({ kind: 'clientBytes', bytes: Buffer.alloc(40_000, 'x') });
    const kinds = effects.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['sendClient', 'close']);
  });

  it('what does not greet like an FTP server', () => {
    play(
      {},
      `
> setTimer login
> dial
server connected
> setTimer negotiation
S: SSH-2.0-x
> C: 421 ftpseal: the FTP server behind this one gave no FTP greeting.
> close`.replace('S: SSH', 'S. SSH'),
    );
  });

  const held = `${inside}
C: NOOP
> S: NOOP
C: PBSZ 0
client closed
> setTimer held
`;

  it('a client that pipelines and ends its side gets its answers', () => {
    play(
      {},
      `${held}
S: 200 ok
> C: 200 ok
> C: 200 PBSZ=0
> close`,
    );
  });

  it('but a backend that gives none does not keep the session', () => {
    play(
      {},
      `${held}
timer held
> setTimer linger
timer linger
> close`,
    );
  });
});
