import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DaemonClient } from '../../../daemon/ipc/client.js';
import { IpcServer } from '../../../daemon/ipc/server.js';
import { Fault } from '../../../shared/fault.js';
import type { PromptEvent, SessionEvent } from '../../../shared/ipc-messages.js';
import { at, connection, key, keyQuestion, pin, policy } from '../trust/fixture.js';
import { callAs, skipUnlessRoot } from './raw-caller.js';
import { makeWorld, sessionState, type TestWorld } from './world.js';

let world: TestWorld;
let clients: DaemonClient[];
beforeEach(async () => {
  world = await makeWorld();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.close();
  await world.close();
});

async function client(): Promise<DaemonClient> {
  const made = await DaemonClient.connect(world.folder);
  clients.push(made);
  return made;
}

const hasCode = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;
const ownUid = process.geteuid?.() ?? 0;

/** Unlike `once`, which rejects when the end is a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) =>
    socket.once('close', () => {
      resolve();
    }),
  );
}

/** The bytes that come back for raw bytes, until the daemon hangs up. */
async function sendRaw(...chunks: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(world.path);
  let answer = '';
  socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
  socket.on('error', () => undefined);
  for (const chunk of chunks) socket.write(chunk);
  await closed(socket);
  return answer;
}

describe('the IPC socket', () => {
  it('pauses for the caller alone, says so in the status, and resumes', async () => {
    const own = await client();
    const { until } = await own.request('pause', { minutes: 15 });
    assert.ok(until > Date.now());
    const paused = await own.request('status', {});
    // The steady clock is shown by what the machine's says at that moment.
    assert.ok(Math.abs((paused.pausedUntil ?? 0) - until) < 1000);
    assert.match(paused.warnings.join(), /Paused by you for 15 more min/);
    await own.request('resume', {});
    assert.equal((await own.request('status', {})).pausedUntil, undefined);
    await assert.rejects(own.request('pause', { minutes: 61 }), hasCode('protocol'));
  });

  it('answers status', async () => {
    const status = await (await client()).request('status', {});
    assert.equal(status.mode, 'redirect');
    assert.deepEqual(status.sessions, { total: 0, secured: 0, cleartext: 0, other: 0 });
  });

  it('may be opened by everybody, because the kernel tells who it is', async () => {
    assert.equal((await stat(world.path)).mode & 0o777, 0o666);
  });

  it('is not taken from a daemon that lives, nor from a file that is no socket', async () => {
    const other = () => IpcServer.listen(world.path, () => Promise.resolve({}));
    await assert.rejects(other(), hasCode('usage'));
    await (await client()).request('status', {});
    const path = join(world.folder, 'file');
    await writeFile(path, 'mine');
    await assert.rejects(
      IpcServer.listen(path, () => Promise.resolve({})),
      hasCode('usage'),
    );
    assert.equal((await stat(path)).size, 4);
  });

  it('is taken from a daemon that died', async () => {
    const path = join(world.folder, 'stale.sock');
    const dead = createServer().listen(path);
    await once(dead, 'listening');
    // What a kill leaves behind: the file, with nobody behind it.
    const handle = (dead as unknown as { _handle: { close(): void } })._handle;
    const { rename } = await import('node:fs/promises');
    await rename(path, `${path}.kept`);
    handle.close();
    await rename(`${path}.kept`, path);
    const server = await IpcServer.listen(path, () => Promise.resolve({}));
    await server.close();
    await assert.rejects(stat(path));
  });

  it('without a daemon is a fault that says so', async () => {
    await assert.rejects(DaemonClient.connect(join(world.folder, 'nowhere')), hasCode('no-daemon'));
  });

  it('refuses wrong params and unknown methods, and goes on', async () => {
    const one = await client();
    await assert.rejects(
      one.request('prompts.answer', { id: 'x', answer: { pasted: 'a'.repeat(2000) } }),
      hasCode('protocol'),
    );
    const answers = await sendAndClose([
      { method: 'nix' },
      { method: 'keys.list', params: { extra: 1 } },
      { method: 'status' },
    ]);
    assert.deepEqual(
      answers.map((answer) => answer.error?.data?.code ?? 'ok'),
      ['protocol', 'protocol', 'ok'],
    );
  });

  async function sendAndClose(requests: readonly { method: string; params?: unknown }[]) {
    return callAs(ownUid, world.path, requests);
  }

  const status = '{"jsonrpc":"2.0","id":1,"method":"status","params":{}}';
  const hostile: readonly (readonly [string, readonly (string | Buffer)[]])[] = [
    ['a huge announced length', ['Content-Length: 99999999\r\n\r\n', 'x']],
    ['a length beyond numbers', ['Content-Length: 99999999999999999999\r\n\r\n']],
    ['a negative length', ['Content-Length: -1\r\n\r\n']],
    ['no length', ['Content-Type: x\r\n\r\n{}']],
    ['two lengths', [`Content-Length: 5\r\nContent-Length: ${status.length}\r\n\r\n${status}`]],
    ['a header without end', ['x'.repeat(5000)]],
    ['an HTTP request', ['POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}']],
    ['garbage', [Buffer.from([0, 255, 13, 10, 13, 10, 7])]],
    ['a body that is no JSON', ['Content-Length: 3\r\n\r\n{{{']],
  ];
  for (const [what, chunks] of hostile) {
    it(`cuts ${what}, and serves others on`, async () => {
      assert.equal(await sendRaw(...chunks), '');
      await (await client()).request('status', {});
    });
  }

  it('takes a good frame in any cut', async () => {
    const socket = connect(world.path);
    const frame = Buffer.from(`Content-Length: ${status.length}\r\n\r\n${status}`);
    for (const byte of frame) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^Content-Length/);
    socket.destroy();
  });

  it('cuts a flood of requests that nobody waits for', async () => {
    const frame = `Content-Length: ${status.length}\r\n\r\n${status}`;
    await sendRaw(frame.repeat(5000));
    await (await client()).request('status', {});
  });

  it('bounds the connections of one user', async () => {
    const sockets = Array.from({ length: 40 }, () => connect(world.path));
    const ends = sockets.map((socket) =>
      once(
        socket.on('error', () => undefined),
        'close',
      ),
    );
    await Promise.race(ends);
    for (const socket of sockets) socket.destroy();
    await Promise.all(ends);
    await (await client()).request('status', {});
  });
});

describe('watching', () => {
  it('sessions: everything first, then each change, and nothing after the end', async () => {
    world.sessions.put(0, sessionState('a', 1000));
    const one = await client();
    const events: SessionEvent[] = [];
    one.on('sessions.event', (event) => events.push(event));
    await one.request('sessions.watch', {});
    world.sessions.put(0, sessionState('b', 1001));
    world.sessions.end(0, 'a', 'done');
    await one.request('status', {});
    assert.deepEqual(
      events.map((event) => event.kind),
      ['all', 'changed', 'ended'],
    );
    assert.ok(events[0]?.kind === 'all' && events[0].sessions[0]?.program === 'tnftp');
  });

  it('prompts: everything first; an answer closes the question', async () => {
    const decision = world.trust.judge('s', connection(), policy(), keyQuestion(key('a')));
    const one = await client();
    const events: PromptEvent[] = [];
    one.on('prompts.event', (event) => events.push(event));
    while (world.broker.list().length === 0) await new Promise((resolve) => setImmediate(resolve));
    await one.request('prompts.watch', {});
    const { questions } = await one.request('prompts.list', {});
    const { waiting } = await one.request('prompts.answer', { id: questions[0]!.id, answer: 'always' });
    assert.equal(waiting, 1);
    assert.deepEqual(await decision, { kind: 'allow' });
    assert.deepEqual(
      events.map((event) => event.kind),
      ['all', 'closed'],
    );
  });

  it('the log: the last lines, then new ones', async () => {
    world.log.info('one');
    world.log.info('two');
    const one = await client();
    const lines: string[] = [];
    one.on('log.line', ({ line }) => lines.push(line));
    const tail = await one.request('log.tail', { lines: 1, follow: true });
    world.log.warn('three', { server: 'x' });
    await one.request('status', {});
    assert.equal(tail.lines.length, 1);
    assert.match(tail.lines[0] ?? '', /two/);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /three/);
  });
});

describe('keys', () => {
  it('are added, shown, revoked, removed, exported and imported', async () => {
    const one = await client();
    const given = {
      fingerprint: key('a'),
      addresses: [at('192.0.2.1').address],
      port: 21,
      revoked: false,
      comment: '',
    };
    const { keys } = await one.request('keys.add', { ...given, name: 'a.test' });
    assert.deepEqual(keys[0]?.owner, ownUid === 0 ? { kind: 'machine' } : { kind: 'user', uid: ownUid });
    const exported = await one.request('keys.export', {});
    const selector = { kind: 'host', host: 'A.test' } as const;
    assert.equal((await one.request('keys.find', { selector })).keys.length, 1);
    assert.equal((await one.request('keys.revoke', { selector })).keys[0]?.revoked, true);
    await assert.rejects(one.request('keys.add', given), hasCode('key'));
    assert.deepEqual(await one.request('keys.import', { file: exported }), { added: 0, unchanged: 1 });
    assert.equal((await one.request('keys.list', {})).keys[0]?.revoked, true);
    assert.equal((await one.request('keys.remove', { selector })).keys.length, 1);
    assert.deepEqual((await one.request('keys.list', {})).keys, []);
    assert.deepEqual(await one.request('keys.import', { file: exported }), { added: 1, unchanged: 0 });
  });

  it('remove of a server forgets that it was secure, also without a key; of one port only that port', async () => {
    const owner = { kind: 'user', uid: 1000 } as const;
    await world.store.rememberSecured({ owner, ...at('192.0.2.1'), lastSecured: 1 });
    await world.store.rememberSecured({ owner, ...at('192.0.2.1', 2121), lastSecured: 1 });
    const one = await client();
    const selector = { kind: 'host', host: '192.0.2.1', port: 21 } as const;
    assert.equal((await one.request('keys.remove', { selector })).forgotten, 1);
    const { secured } = await one.request('keys.list', {});
    assert.deepEqual(
      secured.map((place) => place.port),
      [2121],
    );
  });
});

describe('another user', () => {
  const uid = 12345;

  it('sees and closes only own sessions', skipUnlessRoot, async () => {
    world.sessions.put(0, sessionState('alice', 1000));
    world.sessions.put(0, sessionState('nobody', undefined));
    world.sessions.put(0, sessionState('own', uid));
    const [list, status, foreign, unknown, own] = await callAs(uid, world.path, [
      { method: 'sessions.list' },
      { method: 'status' },
      { method: 'sessions.close', params: { id: 'alice' } },
      { method: 'sessions.close', params: { id: 'nobody' } },
      { method: 'sessions.close', params: { id: 'own' } },
    ]).then(byId);
    assert.deepEqual(JSON.stringify(list?.result).match(/"id":"[a-z]+"/g), ['"id":"own"']);
    assert.match(JSON.stringify(status?.result), /"total":1/);
    assert.equal(foreign?.error?.data?.code, 'not-permitted');
    assert.equal(unknown?.error?.data?.code, 'not-permitted');
    assert.equal(own?.error, undefined);
    assert.deepEqual(world.closed, ['own']);
  });

  it('pauses only for themselves', skipUnlessRoot, async () => {
    const [paused, status] = await callAs(uid, world.path, [
      { method: 'pause', params: { minutes: 15 } },
      { method: 'status' },
    ]).then(byId);
    assert.equal(paused?.error, undefined);
    assert.match(JSON.stringify(status?.result), /pausedUntil/);
    assert.equal((await (await client()).request('status', {})).pausedUntil, undefined);
  });

  it('can neither see nor answer a question (T24)', skipUnlessRoot, async () => {
    const decision = world.trust.judge('s', connection(), policy(), keyQuestion(key('a')));
    while (world.broker.list().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [{ id } = { id: '' }] = world.broker.list();
    const seen = await callAs(uid, world.path, [
      { method: 'prompts.watch' },
      { method: 'prompts.list' },
      { method: 'prompts.answer', params: { id, answer: 'always' } },
      { method: 'prompts.answer', params: { id, answer: { pasted: key('a') } } },
    ]);
    const [, list, always, pasted] = byId(seen);
    assert.deepEqual(list?.result, { questions: [] });
    assert.equal(always?.error?.data?.code, 'not-permitted');
    assert.equal(pasted?.error?.data?.code, 'not-permitted');
    const events = seen.filter((message) => message.method === 'prompts.event');
    assert.deepEqual(
      events.map((event) => event.params),
      [{ kind: 'all', questions: [] }],
    );
    assert.equal(world.broker.list().length, 1);
    // The owner can.
    const [answered] = byId(
      await callAs(1000, world.path, [{ method: 'prompts.answer', params: { id, answer: 'once' } }]),
    );
    assert.deepEqual(answered?.result, { waiting: 1 });
    assert.equal((await decision).kind, 'allow');
  });

  it('sees, changes and imports only own keys, and adds none for others', skipUnlessRoot, async () => {
    await world.store.putPin(pin());
    await world.store.putPin(pin({ owner: { kind: 'machine' }, fingerprint: key('m') }));
    const given = { fingerprint: key('b'), addresses: ['192.0.2.7'], port: 21, revoked: false, comment: '' };
    const file = { version: 1, pins: [{ ...pin(), fingerprint: key('c') }], secured: [], cleartext: [] };
    const [list, removed, revoked, machine, alice, added, imported, exported] = byId(
      await callAs(uid, world.path, [
        { method: 'keys.list' },
        { method: 'keys.remove', params: { selector: { kind: 'host', host: '192.0.2.1' } } },
        { method: 'keys.revoke', params: { selector: { kind: 'fingerprint', fingerprint: key('m') } } },
        { method: 'keys.add', params: { ...given, owner: { kind: 'machine' } } },
        { method: 'keys.add', params: { ...given, owner: { kind: 'user', uid: 1000 } } },
        { method: 'keys.add', params: given },
      ]),
    ).concat(
      byId(
        await callAs(uid, world.path, [
          { method: 'keys.import', params: { file } },
          { method: 'keys.export' },
        ]),
      ),
    );
    assert.deepEqual(list?.result, { keys: [], secured: [], cleartext: [] });
    assert.deepEqual(removed?.result, { keys: [], forgotten: 0 });
    assert.deepEqual(revoked?.result, { keys: [] });
    assert.equal(machine?.error?.data?.code, 'not-permitted');
    assert.equal(alice?.error?.data?.code, 'not-permitted');
    assert.equal(added?.error, undefined);
    assert.equal(imported?.error, undefined);
    assert.equal(exported?.error, undefined);
    const owners = (await world.store.contents()).pins.map((p) => [p.fingerprint, p.owner]);
    assert.deepEqual(owners, [
      [key('a'), { kind: 'user', uid: 1000 }],
      [key('m'), { kind: 'machine' }],
      [key('b'), { kind: 'user', uid }],
      [key('c'), { kind: 'user', uid }],
    ]);
  });

  it('may not read the log', skipUnlessRoot, async () => {
    const [answer] = byId(
      await callAs(uid, world.path, [{ method: 'log.tail', params: { lines: 9, follow: true } }]),
    );
    assert.equal(answer?.error?.data?.code, 'not-permitted');
  });
});

function byId<T extends { readonly id?: number }>(messages: readonly T[]): T[] {
  return messages.filter((message) => message.id !== undefined).sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
}
