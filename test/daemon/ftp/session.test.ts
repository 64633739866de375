// What the transcripts do not say of a session: its life as an object. Behaviour is in test/transcripts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Session } from '../../../daemon/ftp/session.js';
import { DEFAULT_CONTEXT } from '../../transcripts/scenario.js';

const server = (text: string) => ({ kind: 'serverBytes', bytes: Buffer.from(text) }) as const;
const client = (text: string) => ({ kind: 'clientBytes', bytes: Buffer.from(text) }) as const;

describe('Session', () => {
  it('tells how it stands from the beginning', () => {
    const session = new Session({
      ...DEFAULT_CONTEXT,
      policy: { ...DEFAULT_CONTEXT.policy, name: 'ftp.example.com' },
    });
    assert.deepEqual(session.view(), {
      phase: 'connecting',
      data: 'unknown',
      identity: undefined,
      warning: undefined,
      transfers: 0,
      cut: 0,
      name: 'ftp.example.com',
      nameFrom: undefined,
    });
    assert.equal(session.wantsClient, true);
  });
  it('gives each effect once', () => {
    const session = new Session(DEFAULT_CONTEXT);
    assert.deepEqual(session.start(), [{ kind: 'dial', port: 21 }]);
    assert.equal(session.step({ kind: 'serverConnected' }).length, 1);
    assert.equal(session.step(server('220 hi\r\n')).length, 2);
    assert.deepEqual(session.step(server('')), []);
  });
  it('does not change the bytes that it is given, nor lets go of them early', () => {
    const session = new Session(DEFAULT_CONTEXT);
    session.start();
    session.step({ kind: 'serverConnected' });
    const greeting = server('220 hi\r\n');
    const effects = session.step(greeting);
    assert.equal(greeting.bytes.toString(), '220 hi\r\n');
    const sent = effects.find((effect) => effect.kind === 'sendClient');
    assert.equal(Buffer.from(sent?.bytes ?? []).toString(), '220 hi\r\n');
  });
  it('two sessions know nothing of each other', () => {
    const [one, two] = [new Session(DEFAULT_CONTEXT), new Session(DEFAULT_CONTEXT)];
    for (const session of [one, two]) {
      session.start();
      session.step({ kind: 'serverConnected' });
      session.step(server('220 hi\r\n'));
    }
    one.step(client('USER bob\r\n'));
    assert.equal(one.phase, 'negotiating');
    assert.equal(two.phase, 'plain');
  });
});
