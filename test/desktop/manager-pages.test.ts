// The manager's pages in a browser: each in light, in dark and at 400 px, looked at by axe; what they do; how they look when
// there is nothing, and when the daemon is away.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { at, key, pin } from '../daemon/trust/fixture.js';
import { cleartextQuestion, Ground, screens, screenshot, until, type Look } from './manager-ground.js';
import { furnish, move } from './manager-stage.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pages = ['now', 'keys', 'policy', 'history', 'checkup'] as const;
const looks: readonly (readonly [string, Look])[] = [
  ['light', { height: 780 }],
  ['dark', { dark: true, height: 780 }],
  ['400', { width: 400, height: 860 }],
];

let ground: Ground;
let moving: NodeJS.Timeout | undefined;
before(async () => {
  ground = await Ground.open();
});
afterEach(() => ground.closeWindows());
after(async () => {
  clearInterval(moving);
  await ground.close();
});

/** What axe finds, one line each. */
async function findings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const found =
    await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ': ' + node.html.slice(0, 200) + ' ' + (node.any[0]?.message ?? ''))))`);
  return found as readonly string[];
}

async function fits(page: Page): Promise<boolean> {
  return (await page.evaluate('document.documentElement.scrollWidth <= innerWidth')) === true;
}

async function focused(page: Page): Promise<string> {
  return String(await page.evaluate(`document.activeElement.getAttribute('aria-label')`));
}

describe('with nothing to show', () => {
  test('every list says so', async () => {
    const texts = {
      now: 'No sessions',
      keys: 'No servers yet',
      history: 'Nothing happened yet',
      policy: 'No server has rules of its own',
      checkup: 'Daemon',
    };
    for (const name of pages) {
      const page = await ground.visit(name);
      await page.getByText(texts[name]).first().waitFor();
      assert.deepEqual(await findings(page), [], name);
      assert.doesNotMatch(await page.locator('body').innerText(), /undefined|null|NaN|Error/);
    }
    await screenshot(await ground.visit('keys'), 'manager-keys-empty');
  });
});

/** Files on their way, for the picture of the rate; nothing is tested by it. */
async function moveForThePicture(): Promise<void> {
  let n = 0;
  moving = setInterval(() => {
    n += 1;
    move(ground, 4e6 + 2e6 * Math.sin(n / 6), 1e6 + 6e5 * Math.sin(n / 9));
  }, 1000);
  await new Promise((resolve) => setTimeout(resolve, 40_000));
}

describe('with a machine in use', () => {
  before(async () => {
    await furnish(ground);
    // The names of the programs come with the first change after they were found out.
    move(ground, 1000, 1000);
    if (screens !== undefined) await moveForThePicture();
    void ground.judge(cleartextQuestion, { server: at('192.0.2.90'), name: 'scanner.lan' });
    await ground.questionAbout('192.0.2.90');
  });

  test('what the administrator has decided is shown with a lock, and nothing of it can be changed', async () => {
    const policy = await ground.visit('policy');
    const row = policy.locator('dl.settings > div', { hasText: 'users.may_pause' });
    await row.getByText('set by the administrator').waitFor();
    await row.getByText('Locked: only the administrator decides that.').waitFor();
    assert.equal(await policy.locator('dl.settings .fixed').count(), 2);
    assert.equal(await policy.locator('#content').locator('input, button, select').count(), 0);
    await policy.evaluate(`document.querySelector('dl.settings .fixed').scrollIntoView({ block: 'center' })`);
    await screenshot(policy, 'manager-policy-locked');
    const keys = await ground.visit('keys');
    const card = keys.locator('details.server', { hasText: 'accounting.example.com' });
    await card.locator('summary').click();
    await card.locator('.fixed').waitFor();
    await card.getByText('keys.d/accounting.example.com.pem').waitFor();
    assert.equal(await card.getByRole('button').count(), 0);
    await screenshot(keys, 'manager-keys-fixed');
  });

  for (const [suffix, look] of looks) {
    test(`axe finds nothing on any page, and every page fits: ${suffix}`, async () => {
      for (const name of pages) {
        const page = await ground.visit(name, look);
        if (name === 'keys') await page.locator('summary').first().click();
        if (name === 'now') await page.locator('tbody tr').first().waitFor();
        if (name === 'checkup') await page.locator('.checks').waitFor();
        if (name === 'policy') await page.locator('.settings').first().waitFor();
        if (name === 'history') await page.locator('.events').waitFor();
        assert.deepEqual(await findings(page), [], `${name} ${suffix}`);
        assert.ok(await fits(page), `${name} ${suffix} is too wide`);
        await screenshot(page, `manager-${name}-${suffix}`);
      }
    });

    test(`axe finds nothing on the questions and on the page for strangers: ${suffix}`, async () => {
      const ids = [await ground.questionAbout('192.0.2.90')];
      const to = { server: at('192.0.2.10'), name: 'files.example.com' };
      await ground.judge(
        {
          kind: 'key',
          identity: { mechanism: 'TLS', fingerprint: key('W'), protocol: 'TLSv1.3', cipher: 'x' },
        },
        to,
      );
      ids.push(await ground.questionAbout('192.0.2.10'));
      for (const id of ids) {
        const page = await ground.visit(`question/${id}`, look);
        // Asleep and awake.
        assert.deepEqual(await findings(page), [], id);
        await page.locator('button.refuse:enabled').waitFor();
        assert.deepEqual(await findings(page), [], id);
        const typed = page.locator('#typed');
        if ((await typed.count()) > 0) {
          await typed.fill('files.example.com');
          await page.locator('button.danger:enabled').waitFor();
          assert.deepEqual(await findings(page), [], `${id} typed`);
        }
      }
      const stranger = await ground.emptyPage(look);
      await stranger.goto(`${new URL(ground.manager.urlFor('now')).origin}/now`);
      assert.deepEqual(await findings(stranger), []);
      const gone = await ground.visit('question/abcdef', look);
      assert.deepEqual(await findings(gone), []);
    });
  }

  test('a session is closed after a second question, with the keyboard alone, and the focus comes back', async () => {
    const page = await ground.visit('now');
    const close = page.getByRole('button', { name: /Close the session of tnftp to files\.example\.com/ });
    await close.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    assert.deepEqual(await findings(page), []);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.deepEqual(ground.world.closed, []);
    assert.match(await focused(page), /files\.example\.com/);
    // Rows change every second under the focus; it stays where it is.
    move(ground, 1000, 1000);
    await page.waitForTimeout(1200);
    assert.match(await focused(page), /files\.example\.com/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Close the session' }).click();
    await until('the session to be closed', () => ground.world.closed.includes('0-1'));
  });

  test('the skip link and the menu work with the keyboard', async () => {
    const page = await ground.visit('now');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.className'), 'skip');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate('document.activeElement.id'), 'main');
    await page.reload();
    await page.locator('#content[aria-busy="false"]').waitFor();
    for (let n = 0; n < 4; n++) await page.keyboard.press('Tab');
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    assert.equal(outline, 'solid', 'the focus is seen');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Servers and keys' }).waitFor();
  });

  test('servers are searched, named, revoked, deleted, and brought back', async () => {
    const page = await ground.visit('keys');
    await page.getByLabel('Search').fill('cellar');
    await page.getByText(/^1 of \d+ servers/).waitFor();
    await page.getByLabel('Search').fill('nothing like it');
    await page.getByText('Nothing found').waitFor();
    await page.getByLabel('Search').fill('cellar');
    await page.locator('summary').click();
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Cellar <b>two</b>');
    await page.keyboard.press('Enter');
    await page.locator('summary', { hasText: 'Cellar <b>two</b>' }).waitFor();
    const here = async () =>
      (await ground.world.store.contents()).pins.filter(({ address }) => address === '198.51.100.7');
    assert.equal((await here())[0]?.label, 'Cellar <b>two</b>');
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    assert.deepEqual(await here(), []);
    // The focus is on Undo: one key takes it back.
    await page.keyboard.press('Enter');
    await page.getByText('It is back as it was').first().waitFor();
    assert.equal((await here())[0]?.label, 'Cellar <b>two</b>');
    await page.locator('summary').click();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Revoke the key' }).click();
    await page.getByText('it is refused everywhere').first().waitFor();
    assert.equal((await here())[0]?.revoked, true);
  });

  test('a key that the owner gave is pasted; what is none says why, and the dialog stays', async () => {
    const page = await ground.visit('keys');
    await page.getByRole('button', { name: 'Add a key' }).click();
    await page.getByLabel('Server').fill('192.0.2.123:2121');
    await page.getByRole('textbox', { name: 'Key' }).fill('not a key');
    await page.getByRole('button', { name: 'Trust this key' }).click();
    await page.getByRole('alert').filter({ hasText: 'neither a SHA-256 fingerprint' }).waitFor();
    await screenshot(page, 'manager-add-key');
    assert.deepEqual(await findings(page), []);
    await page.getByRole('textbox', { name: 'Key' }).fill(key('p'));
    await page.getByRole('button', { name: 'Trust this key' }).click();
    await page.getByText('The key is trusted for 192.0.2.123').first().waitFor();
    const { pins } = await ground.world.store.contents();
    assert.ok(pins.some((one) => one.address === '192.0.2.123' && one.fingerprint === key('p')));
  });

  test('keys go out to a file and come in from one', async () => {
    const page = await ground.visit('keys');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export' }).click(),
    ]);
    const file = path.join(ground.world.folder, 'export.json');
    await download.saveAs(file);
    const text = readFileSync(file, 'utf8');
    assert.ok(text.includes('files.example.com'));
    await page.locator('#import').setInputFiles(file);
    await page
      .getByText(/0 keys added, \d+ known already/)
      .first()
      .waitFor();
    const other = path.join(ground.world.folder, 'other.json');
    writeFileSync(other, 'no key file');
    await page.locator('#import').setInputFiles(other);
    await page.getByRole('alert').filter({ hasText: 'no key file' }).waitFor();
    const more = {
      version: 1,
      pins: [pin({ owner: { kind: 'machine' }, ...at('192.0.2.200'), fingerprint: key('I') })],
      secured: [],
      cleartext: [],
    };
    writeFileSync(other, JSON.stringify(more));
    await page.locator('#import').setInputFiles(other);
    await page.getByText('1 key added').first().waitFor();
  });

  test('the history is filtered and exported', async () => {
    const page = await ground.visit('history');
    await page.locator('.events li').first().waitFor();
    const all = await page.locator('.events li').count();
    await page.getByLabel('Show').selectOption('refused');
    const refused = await page.locator('.events li').count();
    assert.ok(refused > 0 && refused < all);
    await page.getByLabel('Search').fill('zzz');
    await page.getByText('Nothing found').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'ftpseal-history.csv');
  });
});

describe('when the daemon goes', () => {
  test('every page says so, and shows again what it showed once it is back', async () => {
    const own = await Ground.open();
    try {
      const page = await own.visit('keys');
      await page.getByText('No servers yet').waitFor();
      const now = await own.visit('now');
      await own.world.close();
      await page.locator('.banner.bad').waitFor();
      await now.getByText('Nothing is protected now').waitFor();
      await page.reload();
      await page.getByRole('button', { name: 'Try again' }).waitFor();
      assert.deepEqual(await findings(page), []);
      await screenshot(page, 'manager-daemon-away');
      const question = await own.visit('question/abcdef');
      await question.getByRole('heading', { name: 'The daemon does not answer' }).waitFor();
      assert.doesNotMatch(await page.locator('body').innerText(), /undefined|null|Error:/);
    } finally {
      await own.close().catch(() => undefined);
    }
  });
});

test('time from the certificate to the question on screen, and from the click to the answer', async () => {
  const page = await ground.visit('now');
  const began = performance.now();
  const decision = ground.judge(cleartextQuestion, { server: at('192.0.2.240') });
  await page.getByText('Not encrypted: 192.0.2.240').waitFor();
  const shown = performance.now();
  const asked = await ground.visit(`question/${await ground.questionAbout('192.0.2.240')}`);
  await asked.locator('button.once:enabled').waitFor();
  const clicked = performance.now();
  await asked.getByRole('button', { name: 'Allow this time' }).click();
  await decision;
  console.log(
    `question in an open manager window: ${Math.round(shown - began)} ms; click to decision: ${Math.round(performance.now() - clicked)} ms`,
  );
});
