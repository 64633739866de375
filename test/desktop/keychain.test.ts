// The keychain as the tray uses it, against a real gnome-keyring on a real D-Bus, each person a user of its own.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test as nodeTest } from 'node:test';
import type { VaultRecord } from '../../shared/agent-messages.js';
import { accountOf } from '../../tray/keychain/record-vault.js';
import { at, key, pin } from '../daemon/trust/fixture.js';
import { stage } from '../lab/harness/stage.js';
import { DesktopSession, type SessionOptions } from './harness/keyring.js';
import { VaultProcess } from './harness/vault-process.js';

let folder: string;
let program: string;
let uid = 30300;
const sessions: DesktopSession[] = [];

before(async () => {
  folder = mkdtempSync(`/var/tmp/ftpseal-lab-${process.pid}-`);
  chmodSync(folder, 0o755);
  program = path.join(folder, 'program');
  await stage(program);
});

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
});

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** One in some dozens of runs gnome-keyring 42 breaks off in the middle of a call. That says nothing of the program: the test begins anew, once. */
function test(name: string, run: () => Promise<void>): void {
  void nodeTest(name, async (t) => {
    try {
      await run();
    } catch (error) {
      const said = sessions.flatMap((one) => one.keyringBrokeOff() ?? []);
      if (said.length === 0) throw error;
      t.diagnostic(`gnome-keyring broke off by itself: ${said.join(' / ')}`);
      await run();
    }
  });
}

async function session(options: Partial<SessionOptions> = {}): Promise<DesktopSession> {
  uid += 1;
  const opened = await DesktopSession.open({ folder, uid, ...options });
  sessions.push(opened);
  return opened;
}

async function withKeyring(
  options: Partial<SessionOptions> = {},
): Promise<{ person: DesktopSession; vault: VaultProcess }> {
  const person = await session(options);
  await person.startKeyring();
  const vault = new VaultProcess(person, program);
  await vault.becomes('ready');
  return { person, vault };
}

function record(index = 1, fields: Parameters<typeof pin>[0] = {}): VaultRecord {
  const owner = { kind: 'user', uid } as const;
  const server = at(`192.0.${index >> 8}.${index & 255}`);
  return { kind: 'pin', record: pin({ owner, ...server, fingerprint: key('a'), ...fields }) };
}

/** `argv` with a kernel keyring of its own, as a login gives one. */
function withKernelKeyring(argv: readonly string[]): readonly string[] {
  const numbers = "{'x86_64': 250, 'aarch64': 219}[os.uname().machine]";
  const join = `ctypes.CDLL(None).syscall(${numbers}, 1, None)`;
  return [
    '/usr/bin/python3',
    '-c',
    `import ctypes, os, sys; ${join}; os.execv(sys.argv[1], sys.argv[1:])`,
    ...argv,
  ];
}

test('no bus, no service, no collection, locked and ready are told apart, in words', async () => {
  const person = await session();
  const nowhere = new VaultProcess(person, program, {
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus',
  });
  await nowhere.becomes('absent', /D-Bus/);
  const neither = new VaultProcess(person, program, { DBUS_SESSION_BUS_ADDRESS: '', XDG_RUNTIME_DIR: '' });
  await neither.becomes('absent', /D-Bus/);
  const vault = new VaultProcess(person, program);
  await vault.becomes('absent', /No keychain runs/);
  await person.startKeyring('locked');
  await vault.becomes('absent', /no default collection/);
  await person.stopKeyring();
  await vault.becomes('absent', /No keychain runs/);
  await person.startKeyring();
  await vault.becomes('ready', /^$/);
  await person.lock();
  await vault.becomes('locked', /Unlock it/);
  await person.unlock();
  await vault.becomes('ready');
  const activated = await session({ withServices: true });
  await new VaultProcess(activated, program).becomes('absent', /no default collection/);
  const byRuntimeDir = new VaultProcess(person, program, { DBUS_SESSION_BUS_ADDRESS: '' });
  await byRuntimeDir.becomes('ready');
  await byRuntimeDir.write({ put: [record()] });
  assert.deepEqual(await vault.read(), [record()]);
});

test('records survive the keyring’s restart, and secret-tool sees them', async () => {
  const { person, vault } = await withKeyring();
  const cleartext: VaultRecord = {
    kind: 'cleartext',
    record: { owner: { kind: 'user', uid }, ...at('192.0.2.9'), name: 'müll\r\nname', since: 1 },
  };
  await vault.write({ put: [record(1), record(2), cleartext] });
  await vault.write({ put: [record(2, { count: 7 })], remove: [record(1)] });
  const seen = await person.secrets();
  assert.match(seen, /attribute\.username = key 192\.0\.0\.2:21 SHA256:/);
  assert.doesNotMatch(seen, /192\.0\.0\.1:21/);
  await person.stopKeyring();
  await person.startKeyring();
  await vault.becomes('ready');
  assert.deepEqual(await vault.read(), [record(2, { count: 7 }), cleartext]);
  assert.deepEqual(await new VaultProcess(person, program).read().catch(String), [
    record(2, { count: 7 }),
    cleartext,
  ]);
});

test('without a keychain nothing is stored in the kernel’s keyring, which forgets', async () => {
  const person = await session();
  const vault = new VaultProcess(person, program);
  await vault.becomes('absent');
  await assert.rejects(vault.write({ put: [record()] }), /No keychain runs/);
  const entries = path.join(program, 'dist/tray/keychain/entries.js');
  const pinned = `import('${entries}').then(({ SecretServiceEntries: S }) => new S(() => {}).set('key x', 'x'))
    .then(() => console.log('stored'), () => console.log('refused'));`;
  const library = path.join(program, 'node_modules/@napi-rs/keyring/index.js');
  const loose = `new (require('${library}').AsyncEntry)('ftpseal', 'key y').setPassword('y')
    .then(() => console.log(require('fs').readFileSync('/proc/keys', 'utf8')), console.log);`;
  const tried = await person.run([process.execPath, '-e', pinned]);
  assert.equal(tried.stdout.trim(), 'refused', tried.stderr);
  // What the pin protects from: without it the same library says yes and means the kernel's keyring.
  const unpinned = await person.run(withKernelKeyring([process.execPath, '-e', loose]));
  assert.match(unpinned.stdout, /key y/);
  const kept = await person.run(withKernelKeyring([process.execPath, '-e', pinned]));
  assert.equal(kept.stdout.trim(), 'refused', kept.stderr);
});

test('what people do to entries by hand costs those entries and no others', async () => {
  const { person, vault } = await withKeyring();
  const records = [1, 2, 3, 4, 5].map((index) => record(index));
  await vault.write({ put: records });
  const [gone, garbled, swapped, , kept] = records.map(accountOf);
  await person.clearSecret(gone!);
  await person.storeSecret(garbled!, 'x'.repeat(10_000));
  // A record under another one's name would survive its own removal.
  await person.storeSecret(swapped!, JSON.stringify(records[3]));
  assert.deepEqual(await vault.read(), [null, null, records[3], records[4]]);
  await vault.write({ put: [records[1]!] });
  await vault.write({ remove: [records[0]!, records[2]!] });
  assert.deepEqual(await vault.read(), [records[1], records[3], records[4]]);
  assert.ok(kept !== undefined);
  for (const index of ['', '{"version":2,"accounts":[]}', '{"version":1,"accounts":[7]}']) {
    await person.storeSecret('index 0', index);
    assert.deepEqual(await vault.read(), []);
    await vault.write({ put: [records[4]!] });
    assert.deepEqual(await vault.read(), [records[4]]);
  }
  await person.clearSecret('index 0');
  assert.deepEqual(await vault.read(), []);
});

test('a record whose write was cut off before the index counts for nothing, and can be written again', async () => {
  const { person, vault } = await withKeyring();
  await vault.write({ put: [record(1)] });
  await person.storeSecret(accountOf(record(2)), JSON.stringify(record(2)));
  assert.deepEqual(await vault.read(), [record(1)]);
  await vault.write({ put: [record(2)] });
  assert.deepEqual(await vault.read(), [record(1), record(2)]);
});

test('an index of several entries, none larger than the smallest keychain allows', async () => {
  const { person, vault } = await withKeyring();
  const records = Array.from({ length: 50 }, (_, index) => record(index));
  for (let start = 0; start < records.length; start += 25) {
    await vault.write({ put: records.slice(start, start + 25) });
  }
  assert.deepEqual(await vault.read(), records);
  const parts: string[] = [];
  for (let index = 0; index < 100; index++) {
    const part = await person.secret(`index ${index}`);
    if (part === '') break;
    parts.push(part);
  }
  assert.ok(parts.length > 1, `${parts.length} parts`);
  assert.ok(Math.max(...parts.map((part) => part.length * 2)) <= 2560);
  await person.clearSecret('index 1');
  const left = await vault.read();
  assert.ok(left.length > 20 && left.length < 50, 'one part of the index costs its own records only');
});

test('a locked keychain refuses at once and opens no window', async () => {
  const { person, vault } = await withKeyring({ withServices: true });
  await vault.write({ put: [record()] });
  await person.lock();
  await assert.rejects(vault.read(), /locked/);
  await assert.rejects(vault.write({ put: [record(2)] }), /locked/);
  assert.equal(await vault.state(), 'locked');
  assert.doesNotMatch(person.busLog(), /SystemPrompter/);
  // A program that just asks for the secret does open one, or would with a screen.
  await person.run(['secret-tool', 'search', '--unlock', 'service', 'ftpseal']);
  assert.match(person.busLog(), /SystemPrompter/);
  await person.unlock();
  await vault.becomes('ready');
  assert.deepEqual(await vault.read(), [record()]);
});

test('a keychain that hangs is slow within the bound, and ready again when it goes on', async () => {
  const { person, vault } = await withKeyring();
  await vault.write({ put: [record()] });
  person.signalKeyring('SIGSTOP');
  await assert.rejects(vault.read(), /does not answer/);
  await vault.becomes('slow');
  person.signalKeyring('SIGCONT');
  await vault.becomes('ready');
  assert.deepEqual(await vault.read(), [record()]);
});

test('the bus goes with everything on it, and comes back', async () => {
  const person = await session();
  await person.startKeyring();
  const vault = new VaultProcess(person, program);
  await vault.becomes('ready');
  await vault.write({ put: [record()] });
  await person.stopBus();
  await vault.becomes('absent', /D-Bus/);
  await assert.rejects(vault.read(), /D-Bus/);
  await person.stopKeyring();
  await person.startBus();
  await person.startKeyring();
  await vault.becomes('ready');
  assert.deepEqual(await vault.read(), [record()]);
});

test('another user’s bus is no way in', async () => {
  const { person, vault } = await withKeyring();
  await vault.write({ put: [record()] });
  const other = await session();
  const env = { DBUS_SESSION_BUS_ADDRESS: person.env['DBUS_SESSION_BUS_ADDRESS'] ?? '' };
  const stranger = new VaultProcess(other, program, env);
  await stranger.becomes('absent', /D-Bus/);
});
