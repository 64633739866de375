// Attacks on the manager and on the person through it (Show 4 of the person's side), in a real browser where a browser is what
// is attacked. Requests by hand are in test/tray/manager/server.test.ts.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import type { AddressInfo } from 'node:net';
import { MAX_QUESTIONS_PER_OWNER } from '../../daemon/trust/prompt-broker.js';
import { at, key, keyQuestion } from '../daemon/trust/fixture.js';
import { makeCertificate } from './certificates.js';
import { cleartextQuestion, Ground, questionOf } from './manager-ground.js';

let ground: Ground;
let foreign: Server;
before(async () => {
  ground = await Ground.open();
  foreign = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>foreign</title><body>a page of somebody else');
  });
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
});
afterEach(() => ground.closeWindows());
after(async () => {
  foreign.close();
  await ground.close();
});

const foreignOrigin = () => `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
const ownOrigin = () => new URL(ground.manager.urlFor('now')).origin;

test('a link works once: the second browser is told how to open the manager', async () => {
  const url = ground.manager.urlFor('now');
  const first = await ground.emptyPage();
  await first.goto(url);
  await first.getByRole('heading', { name: 'Now' }).waitFor();
  const second = await ground.emptyPage();
  const answer = await second.goto(url);
  assert.equal(answer?.status(), 401);
  await second.getByText('Open manager…').waitFor();
});

test('a page of another origin reads nothing, changes nothing, frames nothing, though the browser has the cookie', async () => {
  const page = await ground.visit('now');
  await page.goto(foreignOrigin());
  const own = ownOrigin();
  const tried = await page.evaluate(`(async () => {
    const attempt = (path, init) => fetch('${own}' + path, { credentials: 'include', ...init }).then(async (a) => a.status + await a.text(), () => 'nothing');
    return [
      await attempt('/api/keys'),
      await attempt('/now'),
      await attempt('/api/now', { mode: 'no-cors' }),
      await attempt('/api/sessions/close', { method: 'POST', body: '{"id":"0-1"}', headers: { 'content-type': 'text/plain' }, mode: 'no-cors' }),
      await attempt('/api/sessions/close', { method: 'POST', body: '{"id":"0-1"}', headers: { 'content-type': 'application/json', 'x-ftpseal-csrf': 'x' } }),
    ];
  })()`);
  for (const text of tried as readonly string[]) assert.ok(text === 'nothing' || text === '0', text);
  assert.deepEqual(ground.world.closed, []);
  const framed = await page.evaluate(`new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = '${own}/now';
    frame.onload = () => { let inside = 'hidden'; try { inside = frame.contentDocument?.title ?? 'hidden'; } catch {} resolve(inside); };
    document.body.append(frame);
  })`);
  assert.equal(framed, 'hidden');
  const frames = page.frames().filter((frame) => frame.url().startsWith(own));
  for (const frame of frames) assert.equal(await frame.locator('nav').count(), 0);
});

describe('a hostile server', () => {
  const markup = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
  const turned = '\u202eten.elpmaxe.selif\u202c';

  test('can put neither HTML nor hidden characters into a question', async () => {
    const subject = `/O=<img src=x onerror=document.title=1>/CN=a\u0007${turned}\u200bb`;
    const hostile = makeCertificate(subject, ['-addext', 'subjectAltName=DNS:*.evil.test']);
    const cleartext = { ...cleartextQuestion, reason: `AUTH TLS: 502 ${markup}\r\n\u001b[2J${turned}` };
    const to = { server: at('192.0.2.66'), name: `evil${turned}<b>.test` };
    void ground.judge(questionOf(hostile, markup), to);
    void ground.judge(cleartext, { server: at('192.0.2.67'), name: markup });
    for (const address of ['192.0.2.66', '192.0.2.67']) {
      const id = await ground.questionAbout(address);
      const errors: Error[] = [];
      const page = await ground.visit(`question/${id}`);
      page.on('pageerror', (error) => errors.push(error));
      await page
        .locator('details summary')
        .first()
        .click()
        .catch(() => undefined);
      const text = String(await page.evaluate('document.body.textContent'));
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\u2028\u2029]/u);
      assert.match(text, /onerror/, 'the markup stands there as text');
      assert.equal(await page.locator('#content img, #content script, #content b').count(), 0);
      assert.notEqual(await page.title(), '1');
      assert.deepEqual(errors, []);
    }
    const now = await ground.visit('now');
    await now.getByText('New server').first().waitFor();
    assert.equal(await now.locator('#content img, #content script').count(), 0);
    const history = await ground.visit('history');
    await history.locator('.events li').first().waitFor();
    assert.equal(await history.locator('#content img, #content script').count(), 0);
  });

  test('a script that got into a page would be run by nobody', async () => {
    const page = await ground.visit('now');
    const ran = await page.evaluate(`new Promise((resolve) => {
      const made = document.createElement('script');
      try { made.text = 'window.ran = true'; } catch { resolve('refused'); return; }
      document.body.append(made);
      setTimeout(() => resolve(window.ran === true ? 'ran' : 'refused'), 100);
    })`);
    assert.equal(ran, 'refused');
  });
});

test('a thousand questions from a program that scans: bounded, collapsed, and the page stays usable', async () => {
  const decisions = Array.from({ length: 1000 }, (_, n) =>
    ground.judge(keyQuestion(key('s')), { server: at(`10.1.${n >> 8}.${n & 255}`), uid: 1234 }),
  );
  const repeated = Array.from({ length: 200 }, () =>
    ground.judge(keyQuestion(key('s')), { server: at('10.2.0.1'), uid: 1235 }),
  );
  const refusedAtOnce = await Promise.race([
    Promise.all(decisions.slice(-100)),
    new Promise<undefined>((resolve) => {
      setTimeout(() => {
        resolve(undefined);
      }, 15_000).unref();
    }),
  ]);
  assert.ok(
    refusedAtOnce?.every(({ kind }) => kind === 'refuse'),
    'those beyond the bound are told at once',
  );
  const own = ground.world.broker.list().filter(({ owner }) => owner.kind === 'user' && owner.uid === 1234);
  assert.equal(own.length, MAX_QUESTIONS_PER_OWNER);
  const one = ground.world.broker.list().filter(({ owner }) => owner.kind === 'user' && owner.uid === 1235);
  assert.deepEqual(
    one.map(({ waiting }) => waiting),
    [200],
  );
  const page = await ground.visit('now');
  await page.getByText('200 connections wait for your answer').waitFor();
  const links = await page.locator('.question-link').count();
  assert.ok(links <= 64, String(links));
  for (const { id } of ground.world.broker.list()) await ground.world.trust.answer(id, 'refuse');
  await Promise.all([...decisions, ...repeated]);
  await page.locator('.question-link').first().waitFor({ state: 'detached' });
});
