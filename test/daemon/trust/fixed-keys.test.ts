// The folder keys.d with real files, real rights and real links: what counts, what is left out with which sentence, what stays.
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { FixedKeys } from '../../../daemon/trust/fixed-keys.js';
import { NO_ADDRESS } from '../../../daemon/trust/pin-record.js';
import { certificatePem, key, keyFingerprint, pin } from './fixture.js';

const run = promisify(execFile);
const own = process.geteuid?.() ?? 0;

let base: string;
let folder: string;
let notes: string[];
let fixed: FixedKeys;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'ftpseal-keys-'));
  folder = join(base, 'keys.d');
  await mkdir(folder, { mode: 0o755 });
  notes = [];
  const note = (_level: string, message: string) => notes.push(message);
  fixed = new FixedKeys({ folder, also: [own], note });
});
afterEach(async () => {
  fixed.close();
  await rm(base, { recursive: true, force: true });
});

const keyFile = (...pins: readonly unknown[]) =>
  JSON.stringify({ version: 1, pins, secured: [], cleartext: [] });

async function put(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o644 });
  return path;
}

async function trouble(): Promise<string> {
  await fixed.load();
  return fixed.troubles.join('\n');
}

const counting = () => fixed.records.pins.map(({ file, fingerprint }) => `${file} ${fingerprint}`);

describe('the administrator’s keys', () => {
  it('are those of an exported file, for everybody, whoever had them before', async () => {
    await put(
      'fleet.json',
      JSON.stringify({
        version: 1,
        pins: [pin({ count: 7, lastUsed: 9 })],
        secured: [
          { owner: { kind: 'user', uid: 7 }, address: '192.0.2.8', port: 21, lastSecured: 1, claimed: true },
        ],
        cleartext: [{ owner: { kind: 'machine' }, address: '192.0.2.9', port: 21, since: 1 }],
      }),
    );
    assert.equal(await trouble(), '');
    const [one] = fixed.records.pins;
    assert.deepEqual(one?.owner, { kind: 'machine' });
    assert.deepEqual([one.count, one.lastUsed, one.file], [0, undefined, 'fleet.json']);
    assert.deepEqual(
      fixed.records.secured.map(({ address, claimed }) => [address, claimed]),
      [['192.0.2.8', undefined]],
    );
    assert.equal(fixed.uncertain, false);
  });

  it('are single certificates and fingerprints, named after their server', async () => {
    await put('ftp.example.com.pem', certificatePem);
    await put('192.0.2.7_2121.crt', certificatePem);
    await put('2001:db8::7.pub', `${keyFingerprint}\n`);
    assert.equal(await trouble(), '');
    const places = fixed.records.pins.map(({ address, port, name, fingerprint }) => {
      assert.equal(fingerprint, keyFingerprint);
      return [address, port, name];
    });
    assert.deepEqual(
      places.sort(),
      [
        ['192.0.2.7', 2121, undefined],
        ['2001:db8::7', 21, undefined],
        [NO_ADDRESS, 21, 'ftp.example.com'],
      ].sort(),
    );
  });

  it('are none where there is no folder, and that is no trouble', async () => {
    await rm(folder, { recursive: true });
    assert.equal(await trouble(), '');
    assert.deepEqual(counting(), []);
    assert.equal(fixed.uncertain, false);
  });

  it('of a file that is wrong are left out with a sentence, and no other with them', async () => {
    await put('a.json', '{"version": 1, "pins": [');
    await put('b.json', keyFile({ ...pin(), fingerprint: 'nonsense' }));
    await put('c.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    await put('d.docx', 'x');
    await put('_.pem', certificatePem);
    await put('good.json', keyFile(pin()));
    await put('README', 'not a key file, and none is expected');
    await put('.good.json.swp', 'x');
    await put('good.json.dpkg-new', 'x');
    const sentences = (await trouble()).split('\n');
    assert.equal(sentences.length, 5, sentences.join('\n'));
    assert.match(sentences[0] ?? '', /^keys\.d\/_\.pem is not named after a server/);
    assert.match(sentences[1] ?? '', /^keys\.d\/a\.json is no key file/);
    assert.match(
      sentences[2] ?? '',
      /^keys\.d\/b\.json .*pins\.0\.fingerprint must be a SHA-256 fingerprint/,
    );
    assert.match(sentences[3] ?? '', /^keys\.d\/c\.pem .*private key/);
    assert.match(sentences[4] ?? '', /^keys\.d\/d\.docx is neither/);
    assert.deepEqual(counting(), [`good.json ${key('a')}`]);
    assert.equal(fixed.uncertain, true);
    assert.equal(notes.filter((line) => line.startsWith('keys.d/')).length, 5);
    await fixed.load();
    assert.equal(notes.filter((line) => line.startsWith('keys.d/')).length, 5, 'said once');
  });

  it('of a file that others can change, a link, a pipe or a folder are left out', async () => {
    await chmod(await put('open.json', keyFile(pin())), 0o666);
    await chmod(await put('group.json', keyFile(pin())), 0o664);
    await writeFile(join(base, 'aside'), keyFile(pin()), { mode: 0o644 });
    await symlink(join(base, 'aside'), join(folder, 'link.json'));
    await run('mkfifo', [join(folder, 'pipe.json')]);
    await mkdir(join(folder, 'sub.json'));
    const text = await trouble();
    assert.match(text, /open\.json can be changed by others/);
    assert.match(text, /group\.json can be changed by others/);
    assert.match(text, /link\.json is a link/);
    assert.match(text, /pipe\.json is a link or no file/);
    assert.match(text, /sub\.json is a link or no file/);
    assert.deepEqual(counting(), []);
  });

  it('that belong to somebody else are left out', { skip: own === 0 ? false : 'needs root' }, async () => {
    await chown(await put('theirs.json', keyFile(pin())), 12345, 12345);
    assert.match(await trouble(), /theirs\.json belongs to uid 12345/);
    await chown(folder, 12345, 12345);
    assert.match(await trouble(), /belongs to uid 12345.*no key in it counts/);
  });

  it('do not count in a folder that others can change, or that lies below one, or is a link', async () => {
    await put('good.json', keyFile(pin()));
    await chmod(folder, 0o777);
    assert.match(await trouble(), /keys\.d can be changed by others.*no key in it counts/);
    assert.equal(fixed.uncertain, true);
    await chmod(folder, 0o755);
    await chmod(base, 0o777);
    assert.match(await trouble(), /lies below .*, which others than the administrator can change/);
    await chmod(base, 0o700);
    await rename(folder, join(base, 'elsewhere'));
    await symlink(join(base, 'elsewhere'), folder);
    assert.match(await trouble(), /is a link or a file, and not a folder/);
    assert.deepEqual(counting(), []);
  });

  it('of a file that went wrong stay as they were read last, and go with the file', async () => {
    const path = await put('fleet.json', keyFile(pin({ revoked: true })));
    assert.equal(await trouble(), '');
    await writeFile(path, '{');
    assert.match(await trouble(), /was left out\. What was read before it went wrong stays in force/);
    assert.deepEqual(counting(), [`fleet.json ${key('a')}`]);
    assert.equal(fixed.uncertain, false);
    await chmod(folder, 0o777);
    assert.match(await trouble(), /stays in force/);
    assert.deepEqual(counting(), [`fleet.json ${key('a')}`]);
    await chmod(folder, 0o755);
    await rm(path);
    assert.equal(await trouble(), '');
    assert.deepEqual(counting(), []);
  });

  it('are read again when a file comes, changes and goes, and when the folder is another one', async () => {
    await fixed.load();
    const until = async (wanted: readonly string[]) => {
      for (let tries = 0; tries < 100 && counting().join() !== wanted.join(); tries++) await delay(50);
      assert.deepEqual(counting(), wanted);
    };
    await put('one.json', keyFile(pin()));
    await until([`one.json ${key('a')}`]);
    await put('one.json', keyFile(pin({ fingerprint: key('b') })));
    await until([`one.json ${key('b')}`]);
    await rm(join(folder, 'one.json'));
    await until([]);
  });

  it('are found by a look from time to time where nothing could be watched', async () => {
    await rm(folder, { recursive: true });
    await fixed.load();
    await mkdir(folder, { mode: 0o755 });
    const path = await put('one.json', keyFile(pin()));
    await fixed.refresh();
    assert.deepEqual(counting(), [`one.json ${key('a')}`]);
    const read = notes.length;
    await fixed.refresh();
    assert.equal(notes.length, read, 'nothing has changed');
    await chmod(path, 0o666);
    await fixed.refresh();
    assert.match(fixed.troubles.join(), /can be changed by others/);
  });

  it('are bounded', async () => {
    await put('big.json', ' '.repeat(8 * 1024 * 1024 + 1));
    assert.match(await trouble(), /big\.json is larger than/);
    await rm(join(folder, 'big.json'));
    for (let n = 0; n < 1030; n++) await put(`${n}.pem`, 'x');
    await trouble();
    assert.equal(fixed.troubles.length, 9);
    assert.match(fixed.troubles[8] ?? '', /more troubles/);
  });
});
