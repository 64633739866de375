import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { askTray, lockTray } from '../../tray/single-tray.js';

let folder: string;
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'ftpseal-tray-')), 'run');
});
afterEach(() => {
  rmSync(path.dirname(folder), { recursive: true, force: true });
});

describe('one tray a user', () => {
  it('the second gets no place, and can ask the first for the manager', async () => {
    let asked = 0;
    const first = await lockTray(folder, () => (asked += 1));
    assert.ok(first);
    assert.equal(await lockTray(folder, () => undefined), undefined);
    assert.equal(await askTray(folder, 'manager'), true);
    assert.equal(asked, 1);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(path.join(folder, 'tray.sock')).mode & 0o777, 0o600);
    first.release();
    assert.equal(await askTray(folder, 'manager'), false);
    const second = await lockTray(folder, () => undefined);
    assert.ok(second, 'the place is free again');
    second.release();
  });

  it('is told what it is asked for', async () => {
    const asked: string[] = [];
    const tray = await lockTray(folder, (request) => asked.push(request));
    assert.equal(await askTray(folder, 'quit'), true);
    assert.equal(await askTray(folder, 'manager'), true);
    assert.deepEqual(asked, ['quit', 'manager']);
    tray?.release();
  });

  it('what a killed tray left behind is in nobody’s way', async () => {
    const first = await lockTray(folder, () => undefined);
    first?.release();
    writeFileSync(path.join(folder, 'tray.sock'), '');
    const second = await lockTray(folder, () => undefined);
    assert.ok(second);
    assert.equal(await askTray(folder, 'manager'), true);
    second.release();
  });
});
