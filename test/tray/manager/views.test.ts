// What the pages are told, out of states and messages written by hand. Hostile texts above all.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HistoryEvent, QuestionView } from '../../../shared/ipc-messages.js';
import type { Concern } from '../../../shared/trust.js';
import { configView } from '../../../daemon/config-view.js';
import { parseConfig } from '../../../daemon/config-load.js';
import { displayText } from '../../../tray/manager/display-text.js';
import { escapeHtml } from '../../../tray/manager/documents.js';
import { MAX_SAMPLES, RateMeter } from '../../../tray/manager/rate-meter.js';
import { historyCsv, historyView } from '../../../tray/manager/views/history-view.js';
import { keysView } from '../../../tray/manager/views/keys-view.js';
import { liveView } from '../../../tray/manager/views/live-view.js';
import { policyView } from '../../../tray/manager/views/policy-view.js';
import { policyWords } from '../../../tray/manager/views/policy-words.js';
import { mayTrustAlways, questionPage } from '../../../tray/manager/views/question-view.js';
import { sessionState } from '../../daemon/ipc/world.js';
import {
  at,
  certificateDer,
  connection,
  key,
  keyFingerprint,
  keyQuestion,
  pin,
} from '../../daemon/trust/fixture.js';
import { connected } from './memory-link.js';

const hostile = 'evil<script>alert(1)</script>\r\n\u001b[2J\u202egnp.\u200b\u2028\ud800&"\'';
const surroundings = { now: 1000, userName: () => 'alice', mode: 'redirect', rates: [] } as const;

function question(concern: Concern, fields: Partial<QuestionView> = {}): QuestionView {
  return {
    id: 'ab12',
    owner: { kind: 'user', uid: 1000 },
    connection: connection(),
    question: keyQuestion(key('a')),
    concern,
    why: '',
    program: 'lftp',
    openedAt: 0,
    waiting: 1,
    refused: 0,
    ...fields,
  };
}

/** Every text in a value. */
function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}

const unseen = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;

describe('text from outside', () => {
  it('shows what can’t be seen, is bounded, and leaves ordinary letters of all languages alone', () => {
    assert.equal(displayText('a\u202eb\u0000c'), 'a‹U+202E›b‹U+0000›c');
    assert.equal(displayText('Grüße, 東京, שלום'), 'Grüße, 東京, שלום');
    assert.equal(displayText('x'.repeat(1000), 10).length, 10);
    assert.equal(displayText(`a${'\u0301'.repeat(50)}`), 'a\u0301\u0301');
    assert.doesNotMatch(displayText(hostile), unseen);
  });

  it('is escaped where HTML is written', () => {
    assert.equal(escapeHtml(`<a href="x" b='y'>&`), '&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;');
  });

  it('comes to no page with anything hidden in it', () => {
    const from = connection({ name: hostile, uid: 1000 });
    const identity = {
      mechanism: hostile.slice(0, 32),
      fingerprint: key('a'),
      protocol: hostile.slice(0, 32),
      cipher: hostile,
      caValidFor: hostile,
      certificate: {
        subject: hostile,
        issuer: hostile,
        names: [hostile],
        validFrom: hostile,
        validTo: hostile,
        keyType: hostile,
        der: certificateDer.toString('base64'),
      },
    };
    const asked = question(
      { kind: 'changed', earlier: [{ fingerprint: hostile, firstSeen: 1, count: 1, caValidFor: hostile }] },
      { connection: from, program: hostile, question: { kind: 'key', identity } },
    );
    const clear = question(
      { kind: 'cleartext' },
      {
        connection: from,
        program: hostile,
        question: { kind: 'cleartext', anonymous: false, reason: hostile },
      },
    );
    const state = {
      ...connected,
      questions: [asked, clear],
      sessions: [
        {
          state: sessionState('1', 1000, { connection: from, cipher: hostile, warning: hostile }),
          program: hostile,
        },
      ],
    };
    const event: HistoryEvent = {
      at: 1,
      owner: { kind: 'machine' },
      kind: 'asked',
      server: hostile,
      program: hostile,
      text: hostile,
    };
    const shown = [
      questionPage(asked, surroundings),
      questionPage(clear, surroundings),
      liveView(state, surroundings),
      historyView([event]),
      keysView(
        {
          keys: [pin({ name: hostile, comment: hostile, mechanism: hostile.slice(0, 32) })],
          secured: [],
          cleartext: [],
        },
        connected,
      ),
    ];
    for (const text of shown.flatMap(texts)) assert.doesNotMatch(text.replaceAll('\n', ''), unseen);
  });
});

describe('a question', () => {
  it('about a new key may be answered in every way', () => {
    const page = questionPage(question({ kind: 'new', revoked: [] }), surroundings);
    assert.equal(page.look, 'new');
    assert.deepEqual(
      [page.answers.always.allowed, page.answers.once.allowed, page.answers.paste, page.answers.typedName],
      [true, true, true, ''],
    );
    assert.ok(page.facts.some(({ value }) => value === 'lftp, run by alice'));
    assert.equal(page.key?.art.length, 11);
    assert.equal(page.key.groups.join(''), key('a').slice(7));
  });

  it('about a new key tells for which name an authority vouches, and that this settles nothing', () => {
    const asked = { question: keyQuestion(key('a'), { caValidFor: 'evil.test' }) };
    const page = questionPage(question({ kind: 'new', revoked: [] }, asked), surroundings);
    assert.match(page.sentence, /under the name evil\.test\. .* is it the server that you wanted\?$/);
    const without = questionPage(question({ kind: 'new', revoked: [] }), surroundings);
    assert.doesNotMatch(without.sentence, /authority/);
  });

  it('says how the name is known, and what else was looked up for the address', () => {
    const from = connection({ name: 'a.test', nameFrom: 'resolver', alsoNamed: ['b.test', 'c\u202etest'] });
    const { facts } = questionPage(
      question({ kind: 'new', revoked: [] }, { connection: from }),
      surroundings,
    );
    const valueOf = (label: string) => facts.find((fact) => fact.label === label)?.value ?? '';
    assert.match(valueOf('The name comes from'), /looked it up/);
    assert.match(valueOf('Also looked up for this address'), /^b\.test, c/);
    assert.doesNotMatch(valueOf('Also looked up for this address'), unseen);
  });

  it('about a changed key or a downgrade has no yes without the server’s name, and shows the old key', () => {
    const earlier = [{ fingerprint: key('b'), firstSeen: 0, count: 7, lastUsed: 5 }];
    for (const kind of ['changed', 'downgraded'] as const) {
      const page = questionPage(
        question({ kind, earlier }, { connection: connection({ name: 'a.test' }) }),
        surroundings,
      );
      assert.equal(page.look, kind);
      assert.deepEqual(
        [page.answers.always.allowed, page.answers.once.allowed, page.answers.typedName],
        [false, false, 'a.test'],
      );
      assert.equal(page.earlier[0]?.fingerprint, key('b'));
      assert.ok(page.earlier[0].facts.some(({ value }) => value === '7 times'));
    }
  });

  it('with a flawed certificate can’t be trusted for good, on the page and behind it', () => {
    const summary = {
      subject: 'CN=x',
      issuer: 'CN=x',
      names: [],
      validFrom: '',
      validTo: '',
      keyType: '',
      der: certificateDer.toString('base64'),
    };
    const identity = {
      mechanism: 'TLS',
      fingerprint: keyFingerprint,
      protocol: 'TLSv1.3',
      cipher: 'x',
      certificate: summary,
    };
    const asked = question(
      { kind: 'new', revoked: [] },
      { connection: connection({ name: 'other.test' }), question: { kind: 'key', identity } },
    );
    const during = Date.parse('2027-01-01');
    const page = questionPage(asked, { ...surroundings, now: during });
    assert.deepEqual(page.flaws, ['It was not made for other.test.']);
    assert.equal(page.answers.always.allowed, false);
    assert.equal(page.answers.once.allowed, true);
    assert.equal(mayTrustAlways(asked, during), false);
    const named = { ...asked, connection: connection({ name: 'files.example.test' }) };
    assert.equal(mayTrustAlways(named, during), true);
    assert.equal(mayTrustAlways(named, Date.parse('2200-01-01')), false);
  });

  it('says how the name is known', () => {
    const named = question({ kind: 'new', revoked: [] }, { connection: connection({ name: 'a.test' }) });
    const source = (mode: 'redirect' | 'explicit') =>
      questionPage(named, { ...surroundings, mode }).facts.find(({ label }) => label.startsWith('The name'))
        ?.value;
    assert.match(source('redirect') ?? '', /configuration/);
    assert.match(source('explicit') ?? '', /program/);
  });

  it('each kind looks and reads like what it is', () => {
    const kinds: readonly Concern[] = [
      { kind: 'new', revoked: [] },
      { kind: 'vouched', name: 'a.test' },
      { kind: 'replicated', of: 'b.test' },
      { kind: 'renewed', name: 'a.test', earlier: [] },
      { kind: 'changed', earlier: [] },
      { kind: 'cleartext' },
      { kind: 'downgraded', earlier: [] },
    ];
    const pages = kinds.map((concern) => questionPage(question(concern), surroundings));
    assert.equal(new Set(pages.map(({ title }) => title)).size, kinds.length);
    for (const text of pages.flatMap(texts)) assert.doesNotMatch(text, /undefined|null|Error/);
  });
});

describe('a thousand sessions and questions', () => {
  it('are bounded on the page', () => {
    const sessions = Array.from({ length: 1000 }, (_, n) => ({ state: sessionState(String(n), 1000) }));
    const questions = Array.from({ length: 1000 }, () => question({ kind: 'new', revoked: [] }));
    const view = liveView({ ...connected, sessions, questions }, surroundings);
    assert.equal(view.sessions.length, 200);
    assert.equal(view.hidden, 800);
    assert.equal(view.questions.length, 64);
  });
});

describe('the policy', () => {
  it('has words for every key of the configuration and every value it can have', () => {
    const view = configView(parseConfig('', 'x'), { file: 'x', given: new Set(['trust.unknown']) });
    for (const { key: name, value } of view.settings) {
      const words = policyWords[name];
      assert.ok(words !== undefined, name);
      assert.ok(
        typeof words.meaning === 'string' || words.meaning[value] !== undefined,
        `${name} = ${value}`,
      );
    }
    const rows = policyView(view).groups.flatMap((group) => group.rows);
    assert.equal(rows.length, view.settings.length);
    assert.deepEqual(
      rows.filter(({ locked }) => locked).map((row) => row.key),
      ['trust.unknown'],
    );
  });
});

describe('a gateway', () => {
  const ofDevice = connection({ client: at('10.21.0.2', 40000), uid: undefined, forwarded: true });

  it('shows a device by its address, in sessions and questions', () => {
    const asked = question(
      { kind: 'new', revoked: [] },
      { connection: ofDevice, owner: { kind: 'machine' } },
    );
    const page = questionPage(asked, surroundings);
    assert.deepEqual(page.facts[0], { label: 'Device', value: '10.21.0.2' });
    const state = { ...sessionState('1', 1000), connection: ofDevice };
    const [row] = liveView({ ...connected, sessions: [{ state }] }, surroundings).sessions;
    assert.deepEqual([row?.program, row?.user], ['Device 10.21.0.2', '']);
  });

  it('shows its rules for devices, in words', () => {
    const text = '[[client]]\nmatch = "10.21.0.4"\nmode = "refuse"\nfallback = { cleartext = "warn" }\n';
    const config = parseConfig(text, 'f.toml');
    const { clients } = policyView(configView(config, { file: 'f.toml', given: new Set() }));
    assert.deepEqual(
      clients.map(({ match, rows }) => [match, rows.map((row) => [row.key, row.value, row.meaning !== ''])]),
      [
        [
          '10.21.0.4',
          [
            ['client.mode', 'refuse', true],
            ['fallback.cleartext', 'warn', true],
          ],
        ],
      ],
    );
  });
});

describe('the history as a table', () => {
  it('is safe to open in a spreadsheet', () => {
    const event: HistoryEvent = {
      at: 0,
      owner: { kind: 'machine' },
      kind: 'refused',
      server: '=cmd|x',
      text: 'say "no"',
    };
    const [, line] = historyCsv(historyView([event]).rows).split('\r\n');
    assert.equal(line, '"1970-01-01T00:00:00.000Z","Refused","\'=cmd|x","","say ""no""",""');
  });
});

describe('servers and keys', () => {
  it('one card for each server, found by name, address, label and key', () => {
    const keys = [
      pin({ name: 'a.test' }),
      pin({ fingerprint: key('b'), revoked: true }),
      pin({ ...at('192.0.2.2'), label: 'Mine' }),
    ];
    const { servers } = keysView(
      { keys, secured: [], cleartext: [{ owner: pin().owner, ...at('192.0.2.3'), since: 0 }] },
      connected,
    );
    assert.deepEqual(
      servers.map(({ title, keys: own, tone }) => [title, own.length, tone]),
      [
        ['192.0.2.3', 0, 'warn'],
        ['a.test', 2, 'good'],
        ['Mine', 1, 'good'],
      ],
    );
    assert.ok(servers[1]?.haystack.includes(key('a').toLowerCase()));
  });
});

describe('the rate', () => {
  it('is what moved in the time between, also while sessions come and go', () => {
    const meter = new RateMeter();
    const session = (id: string, up: number, down: number, startedAt = 0) => ({ id, up, down, startedAt });
    meter.take([session('a', 1000, 5000)], 1000);
    meter.take([session('a', 1000, 7000), session('new', 10, 0, 1500), session('old', 9e9, 0)], 3000);
    meter.take([session('new', 10, 0, 1500)], 4000);
    assert.deepEqual(meter.samples, [
      { at: 1000, up: 0, down: 0 },
      { at: 3000, up: 5, down: 1000 },
      { at: 4000, up: 0, down: 0 },
    ]);
    for (let n = 0; n < 500; n++) meter.take([], 5000 + n);
    assert.equal(meter.samples.length, MAX_SAMPLES);
  });
});
