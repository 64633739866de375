// The question page in a browser (Show 1, 3 and 4 of the person's side): what is shown, and that nothing is trusted by accident.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Endpoint } from '../../shared/endpoint.js';
import type { Question } from '../../shared/trust.js';
import { at, key, pin } from '../daemon/trust/fixture.js';
import { makeCertificate } from './certificates.js';
import { cleartextQuestion, Ground, questionOf, screenshot, until } from './manager-ground.js';

/** Each time another key: one that a person trusts in one test must not be known in the next. */
const newCertificate = (name = 'files.example.net') =>
  makeCertificate(`/C=NL/O=Example/CN=${name}`, [
    '-addext',
    `subjectAltName=DNS:${name},DNS:ftp.example.net`,
  ]);
const newFlawed = () => makeCertificate('/CN=wrong.example.org', ['-newkey', 'rsa:1024', '-days', '1']);

let ground: Ground;
let number = 0;
before(async () => {
  ground = await Ground.open();
});
afterEach(() => ground.closeWindows());
after(() => ground.close());

/** A server that nobody has met. */
function place(name?: string): { readonly server: Endpoint; readonly name?: string } {
  number += 1;
  return { server: at(`192.0.2.${number}`), ...(name === undefined ? {} : { name }) };
}

function newPlace() {
  return place(`files-${number + 1}.example.net`);
}

async function asked(
  to: ReturnType<typeof place> = newPlace(),
  question = questionOf(newCertificate(to.name)),
) {
  const decision = ground.judge(question, to);
  const id = await ground.questionAbout(to.server.address);
  return {
    id,
    decision,
    to,
    question,
    fingerprint: fingerprintOf(question),
    page: await ground.visit(`question/${id}`, { width: 760, height: 900 }),
  };
}

function fingerprintOf(question: Question): string {
  return question.kind === 'key' ? question.identity.fingerprint : '';
}

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click();
const stillOpen = (id: string) => ground.world.broker.find(id) !== undefined;

async function changed() {
  const to = place(`bank-${number + 1}.example.com`);
  const day = 86_400_000;
  const old = {
    firstSeen: Date.now() - 400 * day,
    lastUsed: Date.now() - day,
    count: 211,
    fingerprint: key('B'),
  };
  await ground.world.store.putPin(
    pin({ ...to.server, ...(to.name === undefined ? {} : { name: to.name }), ...old }),
  );
  return asked(to, questionOf(newFlawed()));
}

async function downgraded() {
  const to = place(`nas-${number + 1}.example.com`);
  await ground.world.store.putPin(
    pin({
      ...to.server,
      ...(to.name === undefined ? {} : { name: to.name }),
      fingerprint: key('C'),
      count: 11,
    }),
  );
  return asked(to, cleartextQuestion);
}

describe('a new server', () => {
  test('is shown with everything that helps to decide; "always" lets that same session go on', async () => {
    const { page, decision, fingerprint } = await asked();
    const text = await page.locator('main').innerText();
    for (const part of [
      'A new server',
      'tnftp, run by alice',
      'files-1.example.net',
      'TLSv1.3',
      'SHA256:',
      'waits',
    ])
      assert.ok(text.includes(part), part);
    const groups = await page.locator('.groups span').allInnerTexts();
    assert.equal(fingerprint, `SHA256:${groups.join('')}`);
    await screenshot(page, 'question-new');
    await press(page, 'Trust always');
    await page.getByRole('heading', { name: 'Answered' }).waitFor();
    assert.match(await page.locator('main').innerText(), /1 connection goes on/);
    assert.deepEqual(await decision, { kind: 'allow' });
  });

  test('refused: nothing is trusted', async () => {
    const { page, decision } = await asked();
    await press(page, 'Refuse');
    await page.getByRole('heading', { name: 'Refused' }).waitFor();
    assert.equal((await decision).kind, 'refuse');
  });

  test('this time lets this session go on and keeps no key', async () => {
    const { page, decision, to } = await asked();
    await press(page, 'Trust this time');
    assert.equal((await decision).kind, 'allow');
    const { pins } = await ground.world.store.contents();
    assert.ok(!pins.some(({ address }) => address === to.server.address));
  });

  test('a pasted fingerprint is compared: a wrong one trusts nothing and says so, the right one trusts', async () => {
    const { page, id, decision, fingerprint } = await asked();
    await page.getByLabel('Fingerprint that the owner gave you').fill(key('x'));
    await press(page, 'Compare and trust');
    await page.getByRole('alert').filter({ hasText: 'does not match' }).waitFor();
    assert.ok(stillOpen(id));
    const right = fingerprint.slice('SHA256:'.length);
    const hex = Buffer.from(right, 'base64').toString('hex').toUpperCase();
    await page.getByLabel('Fingerprint that the owner gave you').fill((hex.match(/../g) ?? []).join(':'));
    await press(page, 'Compare and trust');
    await page.getByRole('heading', { name: 'Answered' }).waitFor();
    assert.equal((await decision).kind, 'allow');
  });
});

describe('nothing is trusted by accident', () => {
  test('no answer has the focus, the buttons sleep at first, and wake up', async () => {
    const { page, id } = await asked();
    // Before the sleep is over: the state at the first moment is looked at in the page itself.
    assert.equal(await page.evaluate('document.activeElement.tagName'), 'H1');
    await page.reload();
    await page.locator('article.question').waitFor();
    const first = await page.evaluate(
      `[...document.querySelectorAll('.answers button')].map((button) => { button.click(); return button.disabled; })`,
    );
    assert.deepEqual(first, [true, true, true, true]);
    assert.ok(stillOpen(id));
    await page.locator('.answers button.always:enabled').waitFor();
    assert.ok(stillOpen(id));
  });

  test('a sleeping page sleeps for 900 ms, and again when it comes up from behind another window', async () => {
    const page = await ground.emptyPage({ width: 760, height: 900 });
    await page.clock.install();
    const { id } = await asked();
    await page.goto(ground.manager.urlFor(`question/${id}`));
    await page.locator('article.question').waitFor();
    const isAwake = () => page.locator('.answers button.always').isEnabled();
    await page.clock.pauseAt(new Date(Date.now() + 60_000));
    await page.clock.runFor(1000);
    assert.equal(await isAwake(), true);
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
    assert.equal(await isAwake(), false);
    await page.clock.runFor(899);
    assert.equal(await isAwake(), false);
    await page.clock.runFor(2);
    assert.equal(await isAwake(), true);
    assert.ok(stillOpen(id));
  });

  test('Enter never trusts: not on a button that trusts, not in a field, not on the page; the space bar does', async () => {
    const { page, id, decision, fingerprint } = await asked();
    await page.locator('.answers button.always:enabled').waitFor();
    await page.keyboard.press('Enter');
    for (const name of ['Trust always', 'Trust this time', 'Compare and trust']) {
      await page.getByRole('button', { name }).focus();
      await page.keyboard.press('Enter');
    }
    await page.locator('#paste').fill(fingerprint);
    await page.keyboard.press('Enter');
    await page.getByText('Enter never trusts').waitFor();
    assert.ok(stillOpen(id));
    await page.getByRole('button', { name: 'Trust this time' }).focus();
    await page.keyboard.press(' ');
    await page.getByRole('heading', { name: 'Answered' }).waitFor();
    assert.equal((await decision).kind, 'allow');
  });

  test('the keyboard alone gets to every answer, in the order in which they stand', async () => {
    const { page } = await asked();
    await page.locator('.answers button.always:enabled').waitFor();
    const seen: string[] = [];
    for (let n = 0; n < 7; n++) {
      await page.keyboard.press('Tab');
      seen.push(
        String(await page.evaluate('document.activeElement.innerText || document.activeElement.id')).trim(),
      );
    }
    assert.deepEqual(seen.slice(0, 6), [
      'Certificate',
      'paste',
      'Compare and trust',
      'Refuse',
      'Trust this time',
      'Trust always',
    ]);
  });

  test('the countdown runs, and stops when the person touches the page: the session gets more time', async () => {
    const { page, id } = await asked();
    const countdown = page.locator('.countdown');
    await page.locator('.countdown[data-state="counting"]').waitFor();
    assert.match(await countdown.innerText(), /tnftp waits \d+ s for your answer/);
    const before = ground.world.broker.find(id)?.deadline ?? 0;
    await page.mouse.move(300, 300);
    assert.equal(await countdown.getAttribute('data-state'), 'counting', 'a mouse that moves is no touch');
    await page.mouse.click(300, 20);
    await page.locator('.countdown[data-state="held"]').waitFor();
    await until('more time', () => (ground.world.broker.find(id)?.deadline ?? 0) > before);
    assert.match(await countdown.innerText(), /Take your time/);
  });
});

describe('a late answer, and one that comes from elsewhere', () => {
  test('counts for the next attempt and says so', async () => {
    const to = place('late.example.net');
    const question = questionOf(newCertificate());
    const decision = ground.judge(question, to, 'ask', 300);
    const id = await ground.questionAbout(to.server.address);
    assert.equal((await decision).kind, 'refuse');
    const page = await ground.visit(`question/${id}`);
    await page.locator('.countdown[data-state="over"]').waitFor();
    assert.match(await page.locator('.countdown').innerText(), /counts for the next connection/);
    await press(page, 'Trust this time');
    await page.locator('#content').getByText('counts for the next connection').waitFor();
    assert.deepEqual(await ground.judge(question, to), { kind: 'allow' });
  });

  test('answered elsewhere: the page says so, and takes no answer any more', async () => {
    const { page, id } = await asked();
    await ground.world.trust.answer(id, 'refuse');
    await page.getByRole('heading', { name: 'This question is closed' }).waitFor();
    assert.equal(await page.getByRole('button').count(), 0);
    const again = await ground.visit(`question/${id}`);
    await again.locator('#content').getByText('It was answered elsewhere').waitFor();
  });
});

describe('what is not new looks different', () => {
  test('a changed key: both keys, every flaw, and nothing that trusts until the name is typed', async () => {
    const { page, id, decision, to, question } = await changed();
    assert.equal((await decision).kind, 'refuse', 'the session was stopped at once');
    const text = await page.locator('main').innerText();
    for (const part of [
      'The key of this server changed',
      '211 times',
      `not made for ${to.name ?? ''}`,
      '1024 bits',
    ])
      assert.ok(text.includes(part), part);
    assert.equal(await page.locator('pre.art').count(), 2);
    await screenshot(page, 'question-changed', true);
    await page.locator('button.refuse:enabled').waitFor();
    assert.deepEqual(await page.getByRole('button').allInnerTexts(), ['Refuse']);
    const typed = page.getByLabel(/type the server’s name/);
    await typed.fill('bank');
    assert.deepEqual(await page.getByRole('button').allInnerTexts(), ['Refuse']);
    await typed.fill(` ${to.name?.toUpperCase() ?? ''}`);
    assert.equal(
      await page.getByRole('button', { name: 'Trust the new key' }).isEnabled(),
      false,
      'it sleeps first',
    );
    await page.locator('button.danger:enabled').waitFor();
    await screenshot(page, 'question-changed-typed', true);
    await typed.press('Enter');
    await page.getByRole('button', { name: 'Trust the new key' }).focus();
    await page.keyboard.press('Enter');
    assert.ok(stillOpen(id));
    await press(page, 'Trust the new key');
    await page.locator('#content').getByText('counts for the next connection').waitFor();
    assert.deepEqual(await ground.judge(question, to), { kind: 'allow' });
    const kept = (await ground.world.store.contents()).pins.filter(
      ({ address }) => address === to.server.address,
    );
    assert.ok(!kept.some(({ owner, fingerprint }) => owner.kind === 'user' && fingerprint === key('B')));
  });

  test('a server that no longer encrypts', async () => {
    const { page, decision } = await downgraded();
    assert.equal((await decision).kind, 'refuse');
    await screenshot(page, 'question-downgraded', true);
    assert.match(await page.locator('main').innerText(), /no longer encrypts/);
    await page.locator('button.refuse:enabled').waitFor();
    assert.deepEqual(await page.getByRole('button').allInnerTexts(), ['Refuse']);
    await press(page, 'Refuse');
    await page.getByRole('heading', { name: 'Refused' }).waitFor();
  });

  test('a server that never encrypted', async () => {
    const { page, decision } = await asked(place(), cleartextQuestion);
    await screenshot(page, 'question-cleartext');
    await press(page, 'Allow this time');
    assert.equal((await decision).kind, 'allow');
  });

  test('a certificate with flaws: each in red, and "always" stays off and says why', async () => {
    const { page, id } = await asked(newPlace(), questionOf(newFlawed()));
    await page.locator('button.once:enabled').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Trust always' }).isEnabled(), false);
    await page.getByText('“Trust always” is off').waitFor();
    assert.equal(await page.locator('.flawed').count(), 2);
    await screenshot(page, 'question-flaws', true);
    // The page is not what keeps it off: the server behind it does.
    const tried =
      await page.evaluate(`fetch('/api/question/${id}/answer', { method: 'POST', body: '{"answer":"always"}',
      headers: { 'content-type': 'application/json', 'x-ftpseal-csrf': document.querySelector('meta[name=csrf]').content } }).then((answer) => answer.status)`);
    assert.equal(tried, 400);
    assert.ok(stillOpen(id));
  });

  test('in the dark and on 400 px they look as much as what they are', async () => {
    for (const [name, make] of [
      ['new', asked],
      ['changed', changed],
      ['downgraded', downgraded],
      ['cleartext', () => asked(place(), cleartextQuestion)],
    ] as const) {
      const { id } = await make();
      for (const [suffix, look] of [
        ['dark', { dark: true, width: 760, height: 900 }],
        ['400', { width: 400, height: 860 }],
      ] as const) {
        const page = await ground.visit(`question/${id}`, look);
        await page.locator('button.refuse:enabled').waitFor();
        assert.equal(
          await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
          true,
          `${name} ${suffix}`,
        );
        await screenshot(page, `question-${name}-${suffix}`, true);
      }
      await ground.world.trust.answer(id, 'refuse');
    }
  });
});
