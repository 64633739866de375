import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatKeys } from '../../../daemon/cli/keys-commands.js';
import { formatAgo, formatBytes, formatSpan, formatTable } from '../../../daemon/cli/output.js';
import { formatQuestion } from '../../../daemon/cli/question-text.js';
import { formatSessions } from '../../../daemon/cli/sessions-command.js';
import { formatStatus } from '../../../daemon/cli/status-command.js';
import { sessionState } from '../ipc/world.js';
import { at, connection, key, keyQuestion, pin } from '../trust/fixture.js';

const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

describe('tables', () => {
  it('are as wide as their content', () => {
    const columns = [
      { title: 'A', value: (row: string) => row },
      { title: 'LONG', value: () => '1', right: true },
    ];
    assert.equal(formatTable(columns, ['x', 'yyy']), 'A    LONG\nx       1\nyyy     1');
  });

  it('fit 80 columns whatever servers and programs are called, and show no control character', () => {
    const server = at('2001:db8:1111:2222:3333:4444:5555:6666', 65535);
    const long = `\u001b[31m${'n'.repeat(200)}`;
    const state = sessionState('63-123456', 1, {
      connection: connection({ server, name: long }),
      protocol: 'TLSv1.3',
      bytesDown: 123_456_789_012,
      bytesUp: 9,
    });
    const sessions = formatSessions([{ state, program: long }], Date.now());
    assert.ok(widest(sessions) <= 80, sessions);
    assert.ok(!sessions.includes('\u001b'));
    const keys = { keys: [pin({ ...server, name: long })], secured: [], cleartext: [] };
    assert.ok(widest(formatKeys(keys, Date.now())) <= 80);
  });

  it('of keys also name servers without a key, once', () => {
    const place = { owner: { kind: 'machine' }, ...at('192.0.2.9') } as const;
    const text = formatKeys(
      {
        keys: [pin()],
        secured: [
          { ...place, lastSecured: 1 },
          { owner: { kind: 'machine' }, ...at('192.0.2.1'), lastSecured: 1 },
        ],
        cleartext: [{ ...place, ...at('192.0.2.8'), since: 1 }],
      },
      2,
    );
    assert.equal(text.split('\n').length, 4);
    assert.match(text, /192\.0\.2\.9 +- +was secure/);
    assert.match(text, /192\.0\.2\.8 +- +CLEARTEXT/);
  });
});

describe('words for times and sizes', () => {
  it('are short and sensible', () => {
    const now = Date.UTC(2026, 6, 1);
    const ago = (seconds: number) => formatAgo(now - seconds * 1000, now);
    assert.deepEqual([0, 30, 90, 7200, 3 * 86_400, 100 * 86_400].map(ago), [
      'just now',
      '30 s ago',
      '1 min ago',
      '2 h ago',
      '3 days ago',
      '2026-03-23',
    ]);
    assert.equal(formatAgo(now + 5000, now), 'just now');
    assert.deepEqual(
      [5, 300, 10_800, 400_000].map((s) => formatSpan(s * 1000)),
      ['5 s', '5 min', '3 h', '4 days'],
    );
    assert.deepEqual([0, 999, 1500, 12_345_678, 1e15].map(formatBytes), [
      '0 B',
      '999 B',
      '1.5 kB',
      '12.3 MB',
      '1000 TB',
    ]);
  });
});

describe('the status', () => {
  const status = {
    version: '1.2.3',
    pid: 7,
    mode: 'redirect' as const,
    startedAt: 0,
    redirect: { kind: 'failed' as const, sentence: 'nft says no' },
    workers: [
      { index: 0, alive: true, sessions: 0, restarts: 0 },
      { index: 1, alive: false, sessions: 0, restarts: 3 },
    ],
    sessions: { total: 3, secured: 1, cleartext: 2, other: 0 },
    questions: 1,
    keysFolder: { folder: '/etc/ftpseal/keys.d', keys: 0, troubles: [] },
    warnings: ['Not encrypted now: sessions to a.test.'],
  };
  it('says what is wrong', () => {
    const text = formatStatus(status, 60_000);
    for (const part of ['FAILED: nft says no', '1 of 2 running', '2 NOT ENCRYPTED', '1 open', 'a.test']) {
      assert.ok(text.includes(part), part);
    }
  });
});

describe('a question', () => {
  it('shows who, where, why and the fingerprint in groups', () => {
    const question = keyQuestion(key('a'), { der: '' });
    const base = { id: 'abc123', owner: { kind: 'user', uid: 1000 } as const, openedAt: 0, waiting: 2 };
    const text = formatQuestion(
      {
        ...base,
        connection: connection({ name: 'a.test' }),
        question,
        concern: { kind: 'new', revoked: [] },
        why: 'This server is new.',
        refused: 0,
        program: 'lftp',
      },
      () => 'alice',
    );
    for (const part of [
      'abc123',
      'lftp, run by alice',
      'a.test (192.0.2.1 port 21)',
      'SHA256: ',
      'self-signed',
      '2 session',
    ]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
  });
});
