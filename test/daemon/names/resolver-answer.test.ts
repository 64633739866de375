import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readMonitorMessage } from '../../../daemon/names/resolver-answer.js';

/** As systemd-resolved 252 gave them. */
const alias = 'A3d3dwNsYWIEdGVzdAAABQABAAAAHgAOA2Z0cANsYWIEdGVzdAA=';
const v4 = 'A2Z0cANsYWIEdGVzdAAAAQABAAAAeAAECgECAw==';

function message(question: string, raws: readonly string[], state = 'success'): string {
  return JSON.stringify({
    parameters: {
      state,
      question: [{ class: 1, type: 1, name: question }],
      answer: raws.map((raw) => ({ rr: {}, raw, ifindex: 2 })),
    },
    continues: true,
  });
}

const heard = (name: string, ttlSeconds: number) => ({
  kind: 'heard',
  answers: [{ name, addresses: ['10.1.2.3'], ttlSeconds }],
});

describe('a message of the monitor', () => {
  it('tells the name that was asked for, through aliases, for as long as the shortest link is good', () => {
    assert.deepEqual(readMonitorMessage(message('www.lab.test', [alias, v4])), heard('www.lab.test', 30));
    assert.deepEqual(readMonitorMessage(message('ftp.lab.test', [v4])), heard('ftp.lab.test', 120));
  });

  it('tells what a search domain made of the name, and what a name in other letters is in the DNS', () => {
    assert.deepEqual(readMonitorMessage(message('ftp', [v4])), heard('ftp.lab.test', 120));
    assert.deepEqual(readMonitorMessage(message('bücher.test', [v4, alias])), heard('www.lab.test', 30));
  });

  it('knows nothing of records that nobody asked for', () => {
    assert.deepEqual(readMonitorMessage(message('ftp.lab.test', [v4, alias])), heard('ftp.lab.test', 120));
  });

  it('without a good answer tells nothing; the first one says that it listens; an error is one', () => {
    const none = { kind: 'heard', answers: [] };
    assert.deepEqual(readMonitorMessage(message('ftp.lab.test', [v4], 'rcode-failure')), none);
    assert.deepEqual(readMonitorMessage(message('ftp.lab.test', ['????'])), none);
    assert.deepEqual(readMonitorMessage('{"parameters":{"ready":true},"continues":true}'), { kind: 'ready' });
    const error = 'org.varlink.service.PermissionDenied';
    assert.deepEqual(readMonitorMessage(JSON.stringify({ error, parameters: {} })), { kind: 'error', error });
  });

  it('that is none is told apart', () => {
    for (const text of ['', '[]', '7', '{"parameters":7}', '{"parameters":{"answer":"x"}}', '{"param'])
      assert.equal(readMonitorMessage(text), undefined, text);
  });

  it('ends a ring of aliases', () => {
    const ring = 'A3d3dwNsYWIEdGVzdAAABQABAAAAHgAOA3d3dwNsYWIEdGVzdAA=';
    assert.deepEqual(readMonitorMessage(message('www.lab.test', [ring])), { kind: 'heard', answers: [] });
  });
});
