// Folders that root makes where other users may write, and what such a user can do about it. Real uids, so root only.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { prepareFolder } from '../../../daemon/supervisor/folders.js';
import { Fault } from '../../../shared/fault.js';

const skip = process.geteuid?.() === 0 ? {} : { skip: 'needs root to be two users' };
const attacker = 30_002;
const identity = { uid: 21_021, gid: 21_021, switches: true };
const as = [`--reuid=${attacker}`, `--regid=${attacker}`, '--clear-groups', '--'];

let base: string;
/** As /tmp: everybody may write, and take away what is theirs. */
let shared: string;
/** Root's, empty, and nothing of ftpseal's. */
let victim: string;
beforeEach(() => {
  base = fs.mkdtempSync('/var/tmp/ftpseal-folders-');
  fs.chmodSync(base, 0o755);
  shared = path.join(base, 'shared');
  victim = path.join(base, 'victim');
  fs.mkdirSync(shared);
  fs.chmodSync(shared, 0o1777);
  fs.mkdirSync(path.join(victim, 'run'), { recursive: true });
});
afterEach(() => {
  fs.rmSync(base, { recursive: true, force: true });
});

function attack(script: string): void {
  const done = spawnSync('setpriv', [...as, 'sh', '-ec', script], { cwd: shared, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
}

/** The sentence with which the folder is refused; undefined where it is made. */
function outcome(folder: string): string | undefined {
  try {
    prepareFolder(folder, 0o700, identity);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error.userMessage.replaceAll(base, '');
  }
}

function state(folder: string): string {
  const { uid, mode } = fs.lstatSync(folder);
  return `${uid} ${(mode & 0o7777).toString(8)}`;
}

describe('a folder in a place where everybody may write', skip, () => {
  it('is made for the proxy alone, also below folders that are missing', () => {
    assert.equal(outcome(path.join(shared, 'a/b/state')), undefined);
    assert.deepEqual(
      ['a', 'a/b', 'a/b/state'].map((name) => state(path.join(shared, name))),
      ['0 755', '0 755', '21021 700'],
    );
    assert.equal(outcome(path.join(shared, 'a/b/state')), undefined, 'and taken again');
  });

  const laid: readonly (readonly [string, string, RegExp])[] = [
    ['a folder', 'mkdir run', /run belongs to uid 30002; ftpseal needs a folder of its own there\.$/],
    ['a file', 'echo > run', /run is a link or a file; ftpseal needs a folder of its own there\.$/],
    ['a fifo', 'mkfifo run', /run is a link or a file/],
    ['a link to a folder of root’s', 'ln -s ../victim/run run', /run is a link or a file/],
    ['a link to nowhere', 'ln -s nowhere run', /run is a link or a file/],
    ['a link to itself', 'ln -s run run', /run is a link or a file/],
    [
      'a socket',
      `"${process.execPath}" -e "require('net').createServer().listen('run', () => process.kill(process.pid, 'SIGKILL'))" || true`,
      /run is a link or a file/,
    ],
  ];
  for (const [what, script, sentence] of laid) {
    it(`is refused where ${what} of another user has its name`, () => {
      attack(script);
      const before = state(path.join(shared, 'run'));
      assert.match(outcome(path.join(shared, 'run')) ?? 'made', sentence);
      assert.equal(state(path.join(shared, 'run')), before);
      assert.equal(state(path.join(victim, 'run')), '0 755');
    });
  }

  it('is not made where another user’s link on the way leads', () => {
    attack('ln -s ../victim way; mkdir own; ln -s ../../victim own/way');
    const refusal = '/shared/way is no safe place for ftpseal’s files: other users can change /shared/way.';
    assert.equal(outcome(path.join(shared, 'way/run')), refusal);
    assert.match(
      outcome(path.join(shared, 'own/way/run')) ?? 'made',
      /other users can change \/shared\/own\.$/,
    );
    assert.match(outcome(path.join(shared, 'way/new/run')) ?? 'made', /no safe place/);
    assert.deepEqual(fs.readdirSync(victim), ['run']);
    assert.equal(state(path.join(victim, 'run')), '0 755');
  });

  it('is made where a link of root’s leads, and refused where that leads to others', () => {
    fs.symlinkSync(victim, path.join(shared, 'roots'));
    assert.equal(outcome(path.join(shared, 'roots/run')), undefined);
    assert.equal(state(path.join(victim, 'run')), '21021 700');
    attack('mkdir theirs');
    fs.symlinkSync('theirs', path.join(shared, 'astray'));
    assert.match(
      outcome(path.join(shared, 'astray/run')) ?? 'made',
      /other users can change \/shared\/theirs\.$/,
    );
    fs.symlinkSync('circle', path.join(shared, 'circle'));
    assert.equal(outcome(path.join(shared, 'circle/run')), '/shared/circle leads in a circle of links.');
  });

  it('is refused while others can write into it', () => {
    const open = path.join(shared, 'open');
    fs.mkdirSync(open);
    fs.chmodSync(open, 0o777);
    assert.match(outcome(open) ?? 'made', /other users can change \/shared\/open\.$/);
    fs.chownSync(open, identity.uid, identity.gid);
    attack('echo planted > open/keys.json');
    assert.match(outcome(open) ?? 'made', /other users can change \/shared\/open\.$/);
  });

  it('stays the proxy’s and touches nothing else, while another user lays and takes away all the time', async () => {
    const script =
      `const { mkdirSync, rmdirSync, symlinkSync, unlinkSync } = require('node:fs');` +
      `const quietly = (action) => { try { action(); } catch {} };` +
      `const lay = [(n) => symlinkSync('../victim', n), mkdirSync, (n) => symlinkSync('../victim/run', n)];` +
      `console.log('begun');` +
      `for (let i = 0; ; i++) for (const name of ['way', 'run']) {` +
      ` quietly(() => lay[i % 3](name)); quietly(() => unlinkSync(name)); quietly(() => rmdirSync(name)); }`;
    const racer = spawn('setpriv', [...as, process.execPath, '-e', script], {
      cwd: shared,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = new Promise((resolve) => racer.once('close', resolve));
    try {
      await new Promise((resolve) => racer.stdout.once('data', resolve));
      let refused = 0;
      // On a busy machine the racer may get no turn at all in so few rounds.
      for (let round = 0; round < 120 || (refused === 0 && round < 20_000); round++) {
        for (const name of ['run', 'way/run']) {
          const folder = path.join(shared, name);
          if (outcome(folder) !== undefined) refused++;
          else {
            assert.equal(state(folder), '21021 700');
            assert.equal(fs.realpathSync(folder), folder);
          }
        }
        for (const name of ['run', 'way']) {
          const { uid } = fs.lstatSync(path.join(shared, name), { throwIfNoEntry: false }) ?? {
            uid: attacker,
          };
          if (uid !== attacker) fs.rmSync(path.join(shared, name), { recursive: true });
        }
      }
      assert.ok(refused > 0, 'the race was one');
      assert.deepEqual(fs.readdirSync(victim), ['run']);
      assert.deepEqual([state(victim), state(path.join(victim, 'run'))], ['0 755', '0 755']);
    } finally {
      racer.kill('SIGKILL');
      await gone;
    }
  });
});
