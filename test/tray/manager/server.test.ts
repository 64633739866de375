// The manager over HTTP, without a browser: who gets in, what every answer carries, and what is refused.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MAX_STREAMS } from '../../../tray/manager/live-feed.js';
import { startManager, type Manager } from '../../../tray/manager/server.js';
import { key, pin } from '../../daemon/trust/fixture.js';
import { MemoryLink } from './memory-link.js';

let link: MemoryLink;
let manager: Manager;
beforeEach(async () => {
  link = new MemoryLink();
  manager = await startManager({ link, resolve: () => Promise.resolve([]) });
});
afterEach(() => manager.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** One request with exactly these headers. */
function send(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  { method = 'GET', body = '' } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

interface Visitor {
  readonly origin: string;
  readonly cookie: string;
  readonly csrf: string;
  readonly setCookie: string;
}

/** What a browser has after it followed a link from the tray. */
async function enter(): Promise<Visitor> {
  const url = manager.urlFor('now');
  const opened = await send(url);
  assert.equal(opened.status, 303);
  const setCookie = String(opened.headers['set-cookie']);
  const cookie = setCookie.split(';')[0] ?? '';
  const { origin } = new URL(url);
  const page = await send(`${origin}${String(opened.headers['location'])}`, { cookie });
  assert.equal(page.status, 200);
  const csrf = /<meta name="csrf" content="([^"]+)">/.exec(page.text)?.[1] ?? '';
  return { origin, cookie, csrf, setCookie };
}

const json = (visitor: Visitor) => ({
  cookie: visitor.cookie,
  origin: visitor.origin,
  'content-type': 'application/json',
  'x-ftpseal-csrf': visitor.csrf,
});

describe('who gets in', () => {
  it('a token becomes a cookie that scripts can’t read and other sites don’t send; the second time it is refused', async () => {
    const url = manager.urlFor('keys');
    const first = await send(url);
    assert.equal(first.headers['location'], '/keys');
    const cookie = String(first.headers['set-cookie']);
    assert.match(cookie, /^ftpseal-[0-9]+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const second = await send(url);
    assert.equal(second.status, 401);
    assert.equal(second.headers['set-cookie'], undefined);
    assert.match(second.text, /Open manager…/);
  });

  it('without a cookie there is no page and no data', async () => {
    const { origin } = new URL(manager.urlFor('now'));
    for (const path of [
      '/',
      '/now',
      '/keys',
      '/question/ab12',
      '/api/now',
      '/api/keys',
      '/api/live',
      '/api/keys/export',
      '/nothing',
    ]) {
      const answer = await send(`${origin}${path}`, { cookie: 'ftpseal=x' });
      assert.equal(answer.status, 401, path);
      assert.doesNotMatch(answer.text, /csrf/);
    }
    assert.deepEqual(link.asked, []);
  });

  it('another host name (a rebound one) gets nothing, with or without a cookie', async () => {
    const { origin, cookie } = await enter();
    const { port } = new URL(origin);
    for (const host of [
      'evil.test',
      `evil.test:${port}`,
      `localhost:${port}`,
      '127.0.0.1',
      `127.0.0.1.evil.test:${port}`,
    ]) {
      for (const path of ['/now', '/api/now', '/assets/main.js', '/open?token=x'])
        assert.equal((await send(`${origin}${path}`, { host, cookie })).status, 403, `${host} ${path}`);
    }
  });

  it('another page’s requests get nothing, also with the cookie', async () => {
    const { origin, cookie } = await enter();
    const foreign: readonly Readonly<Record<string, string>>[] = [
      { origin: 'https://evil.test' },
      { origin: 'null' },
      { origin: origin.replace(/:\d+$/, ':1') },
      { 'sec-fetch-site': 'cross-site' },
      // Another port of this machine is the same site for a browser, and another user's perhaps.
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign)
      assert.equal(
        (await send(`${origin}/api/now`, { cookie, ...headers })).status,
        403,
        JSON.stringify(headers),
      );
    assert.equal((await send(`${origin}/api/now`, { cookie, 'sec-fetch-site': 'same-origin' })).status, 200);
  });

  it('a change needs origin, cookie, the page’s own token and JSON, each of them', async () => {
    const visitor = await enter();
    link.answers['sessions.close'] = () => ({});
    const url = `${visitor.origin}/api/sessions/close`;
    const post = (headers: Readonly<Record<string, string>>) =>
      send(url, headers, { method: 'POST', body: '{"id":"0-1"}' });
    const whole = json(visitor);
    assert.equal((await post(whole)).status, 200);
    for (const name of Object.keys(whole)) {
      const rest = Object.fromEntries(Object.entries(whole).filter(([other]) => other !== name));
      assert.notEqual((await post(rest)).status, 200, `without ${name}`);
    }
    assert.equal((await post({ ...whole, 'x-ftpseal-csrf': `${visitor.csrf}x` })).status, 403);
    assert.equal((await post({ ...whole, 'content-type': 'text/plain' })).status, 403);
    assert.equal((await post({ ...whole, origin: 'https://evil.test' })).status, 403);
    assert.equal(link.asked.filter(([method]) => method === 'sessions.close').length, 1);
  });

  it('another session’s token is not this one’s', async () => {
    const one = await enter();
    const two = await enter();
    assert.notEqual(one.csrf, two.csrf);
    const mixed = { ...json(one), 'x-ftpseal-csrf': two.csrf };
    const answer = await send(`${one.origin}/api/undo`, mixed, { method: 'POST', body: '{"undo":"x"}' });
    assert.equal(answer.status, 403);
  });

  it('a browser that is in keeps its session when it opens another page from the tray', async () => {
    const { cookie, origin, csrf } = await enter();
    const again = await send(manager.urlFor('history'), { cookie });
    assert.equal(again.status, 303);
    assert.equal(again.headers['set-cookie'], undefined);
    assert.ok((await send(`${origin}/now`, { cookie })).text.includes(csrf));
  });

  const root = process.geteuid?.() === 0;
  it(
    'another user of this machine gets no answer at all, even with the cookie',
    root ? {} : { skip: 'needs root to be another user' },
    async () => {
      const { origin, cookie } = await enter();
      const script = `const [, host, port, cookie] = process.argv;
      const socket = require('node:net').connect(Number(port), host);
      let text = '';
      socket.on('data', (bytes) => (text += bytes)).on('error', () => {});
      socket.on('close', () => process.stdout.write(text === '' ? 'nothing' : text.slice(0, 12)));
      socket.write('GET /api/now HTTP/1.1\\r\\nHost: ' + host + ':' + port + '\\r\\nCookie: ' + cookie + '\\r\\nConnection: close\\r\\n\\r\\n');`;
      const { hostname, port } = new URL(origin);
      const args = ['-e', script, hostname, port, cookie];
      const switching = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
      assert.match(await run('setpriv', [...switching, ...args]), /^nothing$/);
      assert.match(await run(process.execPath, args), /^HTTP\/1\.1 200/);
    },
  );
});

/** What a program prints; not `execFileSync`, which would stop the server that it talks to. */
function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { cwd: '/', timeout: 20_000 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} failed`, { cause: error }));
    });
  });
}

describe('every answer', () => {
  it('forbids scripts, styles and frames from elsewhere, and is kept by nobody', async () => {
    const { origin, cookie } = await enter();
    for (const path of [
      '/now',
      '/api/now',
      '/assets/main.js',
      '/assets/style.css',
      '/nothing',
      '/open?token=x',
      '/api/nothing',
    ]) {
      const { headers } = await send(`${origin}${path}`, { cookie });
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /default-src 'none'/, path);
      assert.match(policy, /frame-ancestors 'none'/, path);
      assert.doesNotMatch(policy, /unsafe|https?:|\*/, path);
      assert.equal(headers['cache-control'], 'no-store', path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
      assert.equal(headers['referrer-policy'], 'no-referrer', path);
      assert.equal(headers['access-control-allow-origin'], undefined, path);
    }
  });

  it('has nothing inline and names no other host', async () => {
    const { origin, cookie } = await enter();
    for (const path of ['/now', '/keys', '/policy', '/history', '/checkup', '/question/ab12']) {
      const { text } = await send(`${origin}${path}`, { cookie });
      assert.doesNotMatch(
        text,
        /<style|\sstyle=|\son[a-z]+=|https?:|<script(?! type="module" src="\/assets\/main\.js"><\/script>)/,
        path,
      );
    }
  });

  it('the files of the pages name no other host either', async () => {
    const { origin } = new URL(manager.urlFor('now'));
    for (const name of ['main.js', 'question-page.js', 'dom.js', 'style.css', 'theme.css', 'seal.svg']) {
      const { status, text } = await send(`${origin}/assets/${name}`);
      assert.equal(status, 200, name);
      assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//, name);
    }
    for (const name of ['..%2fserver.js', '../server.js', 'tsconfig.json', 'nothing.js'])
      assert.notEqual((await send(`${origin}/assets/${name}`)).status, 200, name);
  });

  it('HTML in a path or a question’s number stays text', async () => {
    const { origin, cookie } = await enter();
    const { text } = await send(`${origin}/question/${encodeURIComponent('"><script>alert(1)</script>')}`, {
      cookie,
    });
    assert.doesNotMatch(text, /<script>alert/);
    assert.match(text, /&lt;script&gt;/);
  });
});

describe('bounds', () => {
  it('a body that is too large or in a wrong form is refused with a sentence', async () => {
    const visitor = await enter();
    const post = (path: string, body: string) =>
      send(`${visitor.origin}${path}`, json(visitor), { method: 'POST', body });
    assert.equal(
      (await post('/api/keys/add', JSON.stringify({ server: 'a', key: 'x'.repeat(600_000), comment: '' })))
        .status,
      413,
    );
    for (const body of ['', '{', '[]', '{"id":1}', '{"id":"x","more":1}', `{"id":"${'x'.repeat(65)}"}`]) {
      const answer = await post('/api/sessions/close', body);
      assert.equal(answer.status, 400, body);
      assert.match(answer.text, /"kind":"error"/);
    }
    assert.deepEqual(link.asked, []);
  });

  it('so many pages may listen, and a page that goes gives its place back', async () => {
    const { origin, cookie } = await enter();
    const listen = () =>
      new Promise<{ status: number; end: () => void }>((resolve, reject) => {
        const sent = request(`${origin}/api/live`, { headers: { cookie }, agent: false }, (response) => {
          response.on('error', () => undefined);
          resolve({
            status: response.statusCode ?? 0,
            end: () => {
              response.destroy();
            },
          });
        });
        sent.once('error', reject);
        sent.end();
      });
    const streams = await Promise.all(Array.from({ length: MAX_STREAMS }, listen));
    assert.ok(streams.every(({ status }) => status === 200));
    assert.equal(manager.windows, MAX_STREAMS);
    assert.equal((await listen()).status, 503);
    for (const { end } of streams) end();
    const windows = () => manager.windows;
    while (windows() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('an unknown failure tells nothing of itself', async () => {
    const visitor = await enter();
    link.answers['keys.list'] = () => {
      throw new Error('secret of the inside');
    };
    const answer = await send(`${visitor.origin}/api/keys`, { cookie: visitor.cookie });
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text, /secret|Error:|undefined/);
  });

  it('a daemon that is away is a sentence', async () => {
    const { origin, cookie } = await enter();
    link.set({ daemon: { kind: 'unreachable', sentence: 'No ftpseal daemon answers.' } });
    const answer = await send(`${origin}/api/keys`, { cookie });
    assert.equal(answer.status, 503);
    assert.match(answer.text, /No ftpseal daemon answers/);
  });
});

describe('keys', () => {
  it('are exported as a file', async () => {
    const { origin, cookie } = await enter();
    link.answers['keys.export'] = () => ({ version: 1, pins: [pin()], secured: [], cleartext: [] });
    const answer = await send(`${origin}/api/keys/export`, { cookie });
    assert.match(String(answer.headers['content-disposition']), /attachment; filename="ftpseal-keys\.json"/);
    assert.ok(answer.text.includes(key('a')));
  });
});
