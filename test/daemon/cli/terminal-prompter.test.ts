import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parseTyped, promptOnTerminal } from '../../../daemon/cli/terminal-prompter.js';
import { at, connection, key, keyQuestion, policy } from '../trust/fixture.js';
import { makeWorld, type TestWorld } from '../ipc/world.js';

let world: TestWorld;
let input: PassThrough;
let screen: string;
let running: Promise<void>;
beforeEach(async () => {
  world = await makeWorld();
  input = new PassThrough();
  screen = '';
  const output = new PassThrough();
  output.on('data', (chunk: Buffer) => (screen += chunk.toString()));
  running = promptOnTerminal(world.folder, { input, output });
});
afterEach(async () => {
  input.end();
  await running;
  await world.close();
});

async function seen(text: string | RegExp): Promise<void> {
  const isThere = () => (typeof text === 'string' ? screen.includes(text) : text.test(screen));
  while (!isThere()) await new Promise((resolve) => setImmediate(resolve));
}

const judge = (letter: string, address = '192.0.2.1') =>
  world.trust.judge(`s-${address}`, connection({ server: at(address) }), policy(), keyQuestion(key(letter)));

describe('a question on the terminal', () => {
  it('is shown with its fingerprint in groups; "a" trusts always', async () => {
    const decision = judge('a');
    await seen('or paste the fingerprint');
    assert.ok(screen.includes('SHA256: YWFh YWFh'));
    input.write('a\n');
    assert.deepEqual(await decision, { kind: 'allow' });
    await seen('Answered.');
    assert.equal((await world.store.contents()).pins.length, 1);
  });

  it('Enter, "y", "yes" and other text trust nothing and ask again', async () => {
    const decision = judge('a');
    await seen('paste');
    for (const [index, text] of ['', 'y', 'yes', 'always!', ' '].entries()) {
      input.write(`${text}\n`);
      while (screen.split('[a]lways').length < index + 3)
        await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(world.broker.list().length, 1);
    input.write('r\n');
    assert.equal((await decision).kind, 'refuse');
  });

  it('a pasted fingerprint trusts only if it is the one', async () => {
    const decision = judge('a');
    await seen('paste');
    input.write(`${key('b')}\n`);
    await seen('does not match');
    assert.equal(world.broker.list().length, 1);
    input.write(`${key('a')}\n`);
    assert.equal((await decision).kind, 'allow');
  });

  it('comes one after the other, and each answer goes to the one on the screen', async () => {
    const first = judge('a', '192.0.2.1');
    await seen('192.0.2.1');
    const second = judge('b', '192.0.2.2');
    input.write('t\n');
    assert.equal((await first).kind, 'allow');
    await seen('192.0.2.2');
    input.write('r\n');
    assert.equal((await second).kind, 'refuse');
    assert.equal((await world.store.contents()).pins.length, 0);
  });

  it('that vanishes takes the answer that was on its way with it: the next one is not answered by it', async () => {
    const first = judge('a', '192.0.2.1');
    await seen('192.0.2.1');
    const second = judge('b', '192.0.2.2');
    while (world.broker.list().length < 2) await new Promise((resolve) => setImmediate(resolve));
    const [one] = world.broker.list();
    await world.trust.answer(one!.id, 'refuse');
    await first;
    await seen('answered elsewhere');
    await seen('192.0.2.2');
    input.write('a\n');
    await seen(/192\.0\.2\.2[^]*\[a\]lways[^]*\[a\]lways/);
    assert.equal(world.broker.list().length, 1);
    await world.trust.answer(world.broker.list()[0]!.id, 'refuse');
    assert.equal((await second).kind, 'refuse');
  });
});

describe('what a person types', () => {
  it('is an answer only if it says so', () => {
    assert.equal(parseTyped('a'), 'always');
    assert.equal(parseTyped(' Trust '), 'always');
    assert.equal(parseTyped('once'), 'once');
    assert.equal(parseTyped('refuse'), 'refuse');
    assert.deepEqual(parseTyped(key('a')), { pasted: key('a') });
    for (const text of ['', 'y', 'yes', 'ok', 'SHA256:abc', 'ar'])
      assert.equal(parseTyped(text), undefined, text);
  });
});
