import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionView } from '../../../daemon/ftp/session.js';
import { changeBetween, firstState, stateWith } from '../../../daemon/pool/session-state.js';
import { parseEndpoint } from '../../../shared/endpoint.js';

const server = parseEndpoint('192.0.2.1:21')!;
const client = parseEndpoint('127.0.0.1:40000')!;
const arrived = { id: '0-1', connection: { server, client, uid: 1000 }, startedAt: 5 };
const begun = { knownSecure: false, strongOnly: false, paused: false };
const view: SessionView = {
  phase: 'plain',
  data: 'unknown',
  identity: undefined,
  warning: undefined,
  transfers: 0,
  cut: 0,
  name: undefined,
  nameFrom: undefined,
};
const identity = { mechanism: 'TLS', fingerprint: 'f', protocol: 'TLSv1.3', cipher: 'c' };

describe('the state of a session', () => {
  it('begins with the names that the main thread knew', () => {
    const state = firstState(arrived, {
      ...begun,
      name: 'a.example',
      nameFrom: 'resolver',
      alsoNamed: ['b'],
    });
    assert.deepEqual(state.connection, {
      ...arrived.connection,
      name: 'a.example',
      nameFrom: 'resolver',
      alsoNamed: ['b'],
    });
    assert.deepEqual([state.phase, state.protection, state.startedAt], ['connecting', 'none', 5]);
    assert.equal(state.warning, undefined);
  });

  it('says from the first moment that its user had paused', () => {
    assert.match(firstState(arrived, { ...begun, paused: true }).warning ?? '', /paused/);
  });

  it('takes in what the core shows, and keeps the counts of bytes', () => {
    const first = { ...firstState(arrived, begun), bytesUp: 7 };
    const state = stateWith(first, { ...view, phase: 'secured', identity, data: 'asked', transfers: 2 });
    assert.deepEqual(
      [state.protection, state.protocol, state.data, state.transfers, state.bytesUp, state.cut],
      ['secured', 'TLSv1.3', 'unknown', 2, 7, undefined],
    );
  });

  const worth: readonly (readonly [Partial<SessionView>, string])[] = [
    [{}, 'none'],
    [{ name: 'another' }, 'none'],
    [{ transfers: 1 }, 'count'],
    [{ phase: 'negotiating' }, 'step'],
    [{ data: 'private', transfers: 1 }, 'step'],
    [{ phase: 'judgingKey', identity }, 'step'],
    [{ phase: 'secured', identity }, 'turn'],
    [{ phase: 'cleartext' }, 'turn'],
    [{ phase: 'passthrough' }, 'turn'],
    [{ warning: 'w' }, 'turn'],
    [{ cut: 1 }, 'turn'],
  ];
  for (const [change, expected] of worth)
    it(`counts ${JSON.stringify(change)} as ${expected}`, () => {
      assert.equal(changeBetween(view, { ...view, ...change }), expected);
    });
});
