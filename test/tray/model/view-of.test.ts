import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentState } from '../../../tray/agent-state.js';
import { updateRecent } from '../../../tray/model/recent-servers.js';
import { viewOf, type Surroundings } from '../../../tray/model/view-of.js';
import { agentState, question, session, status, viewText } from './fixture.js';

function textOf(state: AgentState, surroundings: Partial<Surroundings> = {}): string {
  return viewText(viewOf(state, { recent: [], autostart: false, now: 0, ...surroundings }));
}

function looksLike(text: string, lines: string): void {
  assert.equal(text, lines.replace(/^\n|\n *$/g, '').replace(/^ {6}/gm, ''));
}

describe('the tray’s view', () => {
  it('of a quiet machine', () => {
    looksLike(
      textOf(agentState()),
      `
      (idle)
      | No FTP session now
        No FTP session now
      ---
      Open manager… <showManager>
      Pause for 15 minutes (FTP not encrypted) <pause>
      [ ] Start at login <toggleAutostart>
      ---
      Quit <quit>
      `,
    );
  });

  it('of secured sessions, with the last servers', () => {
    const sessions = [
      session('1', { name: 'files.example.com', startedAt: 5 }),
      session('2', { address: '192.0.2.9', startedAt: 6 }),
    ];
    looksLike(
      textOf(agentState({ sessions }), { recent: updateRecent([], sessions), autostart: true }),
      `
      (securing)
      | 2 sessions secured
        2 sessions secured
      ---
      locked 192.0.2.9: encrypted <showServers>
      locked files.example.com: encrypted <showServers>
      ---
      Open manager… <showManager>
      Pause for 15 minutes (FTP not encrypted) <pause>
      [x] Start at login <toggleAutostart>
      ---
      Quit <quit>
      `,
    );
  });

  it('of cleartext in use', () => {
    const sessions = [session('1'), session('2', { protection: 'cleartext', name: 'old.example.com' })];
    const warnings = ['Not encrypted now: sessions to old.example.com.'];
    const text = textOf(agentState({ sessions, status: status({ warnings }) }), {
      recent: updateRecent([], sessions),
    });
    assert.match(
      text,
      /^\(cleartext\)\n\| 1 session secured, 1 not encrypted\n\| Password and files of these/,
    );
    assert.match(text, /^\| Not encrypted now: sessions to old\.example\.com\.$/m);
    assert.match(text, /^open old\.example\.com: not encrypted/m);
  });

  it('of open questions: those that somebody waits for first, the oldest of them at the top', () => {
    const questions = [
      question('late', { waiting: 0, openedAt: 1 }),
      question('young', { openedAt: 9, program: undefined }),
      question('old', { openedAt: 5, waiting: 50, concern: { kind: 'changed', earlier: [] } }),
      question('none', { openedAt: 6, waiting: 0, refused: 3, concern: { kind: 'downgraded', earlier: [] } }),
    ];
    looksLike(
      textOf(agentState({ questions })),
      `
      (question 4)
      | 4 servers wait for your answer
      | Nothing is sent to a server before you have answered.
        4 servers wait for your answer
      ---
      Changed key! files.example.com (curl, 50 sessions wait)… <showQuestion>
      New server files.example.com… <showQuestion>
      New server files.example.com (curl)… <showQuestion>
      No longer encrypted! files.example.com (curl, was refused)… <showQuestion>
      ---
      Open manager… <showManager>
      Pause for 15 minutes (FTP not encrypted) <pause>
      [ ] Start at login <toggleAutostart>
      ---
      Quit <quit>
      `,
    );
  });

  it('of more questions than a menu holds', () => {
    const questions = Array.from({ length: 32 }, (_, index) => question(`q${index}`));
    const { icon, menu } = viewOf(agentState({ questions }), { recent: [], autostart: false, now: 0 });
    assert.deepEqual(icon, { kind: 'question', count: 32 });
    assert.equal(menu.filter((one) => one.kind === 'action' && one.action.kind === 'showQuestion').length, 6);
    assert.ok(menu.some((one) => one.kind === 'action' && one.text === '26 more…'));
    assert.ok(menu.length < 20);
  });

  it('of a daemon that is not there', () => {
    const sentence = 'No ftpseal daemon answers. Start it with: sudo ftpseal daemon';
    const state = agentState({ daemon: { kind: 'unreachable', sentence }, status: undefined });
    looksLike(
      textOf(state, { autostart: undefined }),
      `
      (trouble)
      | ftpseal does not run: FTP is not encrypted
      | No ftpseal daemon answers. Start it with: sudo ftpseal daemon
        ftpseal does not run: FTP is not encrypted
      ---
      Open manager… <showManager>
      ---
      Quit <quit>
      `,
    );
  });

  it('of a redirect that failed, though a question is open and a session is secured', () => {
    const redirect = { kind: 'failed', sentence: 'nft refused.' } as const;
    const state = agentState({
      status: status({ redirect }),
      questions: [question('1')],
      sessions: [session('1')],
    });
    assert.match(
      textOf(state),
      /^\(trouble\)\n\| The redirect failed: FTP may not be encrypted\n\| nft refused\./,
    );
  });

  it('of each trouble with the keychain, behind an open question', () => {
    for (const [kind, words] of [
      ['locked', /is locked/],
      ['absent', /No keychain/],
      ['slow', /does not answer/],
    ] as const) {
      const vault = { kind, sentence: 'What to do.' };
      const text = textOf(agentState({ vault }));
      assert.match(text, /^\(trouble\)/);
      assert.match(text, words);
      assert.match(text, /\| What to do\./);
      assert.match(textOf(agentState({ vault, questions: [question('1')] })), /^\(question 1\)/);
    }
    assert.match(textOf(agentState({ vault: { kind: 'off' } })), /^\(idle\)/);
  });

  it('of a pause, that counts down and can be ended', () => {
    const paused = agentState({ status: status({ pausedUntil: 10 * 60_000 }) });
    const text = textOf(paused, { now: 1 });
    assert.match(text, /^\(cleartext\)\n\| Paused for 10 more min: not encrypted/);
    assert.match(text, /^Resume: encrypt again <resume>$/m);
    assert.doesNotMatch(text, /<pause>/);
    assert.match(
      textOf(paused, { now: 10 * 60_000 }),
      /^\(idle\)/,
      'it is over, whatever the last status said',
    );
    const relayed = session('1', { protection: 'tunnelled', warning: 'paused when this session began' });
    assert.match(textOf(agentState({ sessions: [relayed] })), /^\(cleartext\)\n\| 1 session not encrypted/);
  });

  it('of the explicit proxy, which can’t be paused', () => {
    const state = agentState({
      status: status({ mode: 'explicit', redirect: { kind: 'none', listen: [] } }),
    });
    assert.doesNotMatch(textOf(state), /Pause/);
  });

  it('of hostile names: no control or bidi character, no line that is longer than a menu', () => {
    const name = `evil\u202e\u0007\n<b>&__${'x'.repeat(300)}.example.com`;
    const program = '\u001b]0;owned\u0007'.repeat(20);
    const hostile = question('1', { connection: { ...question('1').connection, name }, program });
    const sessions = [session('1', { name })];
    const warnings = [`\u2066${'w'.repeat(5000)}`];
    const view = viewOf(agentState({ questions: [hostile], sessions, status: status({ warnings }) }), {
      recent: updateRecent([], sessions),
      autostart: false,
      now: 0,
    });
    assert.doesNotMatch(
      JSON.stringify(view),
      /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/,
    );
    for (const entry of view.menu)
      if (entry.kind !== 'separator') assert.ok(entry.text.length < 120, entry.text);
    assert.ok(view.tooltip.length < 1000);
  });
});
